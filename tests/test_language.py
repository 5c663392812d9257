"""Reports in another language: the words change, ids and arguments stay; what has no translation speaks English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from elo_gate import gate
from elo_gate.report import text
from elo_gate.ruleset import page
from elo_gate.ruleset.compile import compile_rules, translation
from elo_gate.ruleset.load import RuleError, data_dir, load
from elo_gate.ruleset.schema import RuleFile

RULE = {
    "id": "docker/sample",
    "title": "The image is a sample",
    "severity": "error",
    "standard": ["CTR-1"],
    "kind": "dockerfile",
    "select": "final_stage",
    "assert": "it.user",
    "message": "Stage '{it.name|the last}' of '{file.name}' has no user.",
    "rationale": "A sample needs a reason of some length.",
    "fix": "Write `USER 1001` into '{file.name}'.",
    "bad": [{"file": "FROM scratch\n", "at": 1}],
    "good": [{"file": "FROM scratch\nUSER 1\n"}],
}


def rule(**words: object) -> RuleFile:
    told = {
        "title": "A imagem é uma amostra",
        "message": "'{file.name}': o estágio '{it.name|final}' não tem usuário.",
        "rationale": "Uma amostra precisa de um motivo de algum tamanho.",
        "fix": "Escreva `USER 1001` em '{file.name}'.",
        **words,
    }
    return RuleFile.model_validate({**RULE, "translations": {"pt-BR": told}})


def test_placeholders_keep_their_arguments_in_another_order() -> None:
    text_, absent = translation(rule(), "pt-BR")["messages"]["default"]
    assert text_ == "'{1}': o estágio '{0}' não tem usuário."
    assert absent == {0: ("the last", "final")}


@pytest.mark.parametrize("message", ["O estágio '{it.nome}' não tem usuário.", "'{file.name}' não tem usuário."])
def test_a_placeholder_too_many_or_too_few_is_refused(message: str) -> None:
    with pytest.raises(RuleError, match="placeholder"):
        compile_rules([rule(message=message)])


def test_a_translation_has_the_messages_of_its_rule() -> None:
    with pytest.raises(ValueError, match="same messages"):
        rule(message={"default": "'{file.name}' não.", "other": "'{file.name}' também não."})


def test_the_report_speaks_portuguese_and_keeps_ids(tmp_path: object) -> None:
    root = Path(str(tmp_path))
    (root / "Dockerfile").write_text('FROM node:24-alpine\nEXPOSE 3000\nCMD ["node", "server.js"]\n')
    run = gate.run(str(root), as_of="2026-11-25")
    shown = text.render(run, language="pt-BR")
    assert "docker/root-user" in shown
    assert "O estágio '#1' não define USER e roda como root, o usuário de 'node:24-alpine'." in shown
    assert "correção" in shown and "Aprovado:" in shown
    assert "sets no USER" in text.render(run)


def test_explain_in_portuguese() -> None:
    shown = page.explain(load(), "docker/root-user", "pt-BR")
    assert shown.startswith("docker/root-user: A imagem publicada roda como root")


def outline(edition: str) -> list[tuple[str, str, int, bool, list[str]]]:
    """Every heading: depth, clause id, the paragraphs below it, whether a number of elo is among them, and the code."""
    found = []
    for heading, body in re.findall(r"^(#+ .+)\n\n((?:(?!#).*\n?)*)", edition, re.M):
        depth, clause = re.fullmatch(r"(#+) (?:([A-Z]{2,4}-\d+) )?.+", heading).groups()  # type: ignore[union-attr]
        paragraphs = [each for each in body.split("\n\n") if each.strip()]
        code = sorted(" ".join(each.split()) for each in re.findall(r"`([^`]+)`", body))
        found.append((depth, clause or "", len(paragraphs), " elo: " in " ".join(body.split()), code))
    return found


def test_the_standard_is_complete_in_both_editions() -> None:
    folder = Path(data_dir("rules"))
    english, portuguese = (
        outline((folder / name).read_text(encoding="utf-8")) for name in ("STANDARD.md", "STANDARD.pt-BR.md")
    )
    clauses = [clause for _, clause, *_ in english if clause]
    assert len(clauses) == len(set(clauses)) > 30
    assert [clause for _, clause, *_ in portuguese if clause] == clauses, "the same clauses in the same order"
    assert [depth for depth, *_ in portuguese] == [depth for depth, *_ in english], "the same headings"
    for there, here in zip(english, portuguese, strict=True):
        assert here == there, f"{there[1] or 'a heading'}: paragraphs, elo's numbers and code as in STANDARD.md"


def test_every_built_in_rule_speaks_portuguese() -> None:
    rules = load()
    lacking = [each for each in rules.ids if rules.translated(each, "pt-BR") is None]
    assert not lacking, f"{len(lacking)} rules lack `translations: pt-BR:`: {', '.join(lacking)}"
