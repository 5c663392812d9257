"""Reports in another language: the words change, ids and arguments stay; what has no translation speaks English."""

from __future__ import annotations

import pytest

from elo_gate import gate
from elo_gate.report import text
from elo_gate.ruleset import page
from elo_gate.ruleset.compile import compile_rules, translation
from elo_gate.ruleset.load import RuleError, load
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
    from pathlib import Path

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
