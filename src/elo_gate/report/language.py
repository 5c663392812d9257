"""Turns the words of a report for people into another language: those of rules, and the report's own.

Ids, severities in machine formats and what a file says stay as they are. A rule without a translation speaks English.
"""

from __future__ import annotations

from ..engine import fill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Finding
    from ..ruleset.load import Ruleset

ENGLISH = "en"
LANGUAGES = (ENGLISH, "pt-BR")

# What reports say themselves, by its English words; `{}` stands for a number or a text.
_OWN = {
    "pt-BR": {
        "error": "erro",
        "errors": "erros",
        "warning": "aviso",
        "warnings": "avisos",
        "note": "nota",
        "notes": "notas",
        "file": "arquivo",
        "files": "arquivos",
        "answer": "resposta",
        "answers": "respostas",
        "why": "por quê",
        "fix": "correção",
        "also": "veja",
        "broken": "quebrado",
        "Passed": "Aprovado",
        "Blocked": "Bloqueado",
        "Broken": "Quebrado",
        "in": "em",
        "and": "e",
        "no findings": "nenhum achado",
        "{} let pass": "{} dispensados",
        "Looked at {} with {} rules": "Examinados: {}, com {} regras",
        "Rules that look across files were left out: {}.": "As regras que comparam arquivos ficaram de fora: {}.",
        "Set aside": "Postos de lado",
        "Not judged": "Não julgados",
        "{} and {} more": "{} e mais {}",
        "{} and {} more rules": "{} e mais {} regras",
        "Undecided: {} (a value that only the running system knows).": "Sem decisão: {} (um valor que só o sistema em "
        "execução conhece).",
        "production": "produção",
        "assumed production": "produção presumida",
    },
}  # fmt: skip


class Language:
    """One language of a report. `code` is one of LANGUAGES."""

    __slots__ = ("code", "_own", "_ruleset")

    def __init__(self, ruleset: Ruleset, code: str = ENGLISH) -> None:
        self.code = code
        self._ruleset = ruleset
        self._own = _OWN.get(code, {})

    def say(self, words: str, *values: object) -> str:
        """The report's own words, each `{}` filled."""
        text = self._own.get(words, words)
        for value in values:
            text = text.replace("{}", str(value), 1)
        return text

    def count(self, number: int, noun: str) -> str:
        """A number with its noun: "1 file", "2 files"."""
        return f"{number} {self.say(noun if number == 1 else noun + 's')}"

    def title(self, identifier: str) -> str:
        return self._words(identifier, "title")

    def rationale(self, identifier: str) -> str:
        return self._words(identifier, "rationale")

    def message(self, finding: Finding) -> str:
        """A finding's message; its arguments are the same in every language."""
        told = self._told(finding.rule.id)
        return _filled(told["messages"][finding.message_id], finding.arguments) if told else finding.message

    def fix(self, finding: Finding) -> str:
        """What to write instead."""
        told = self._told(finding.rule.id)
        return _filled(told["fix"], finding.fix_arguments) if told else finding.fix

    def _told(self, identifier: str) -> dict[str, Any] | None:
        return self._ruleset.translated(identifier, self.code) if self.code != ENGLISH else None

    def _words(self, identifier: str, name: str) -> str:
        told = self._told(identifier)
        return str(told[name] if told else self._ruleset.words(identifier)[name])


def _filled(template: tuple[str, dict[int, tuple[str, str]]], arguments: list[str]) -> str:
    text, absent = template
    shown = list(arguments)
    for index, (english, words) in absent.items():
        if index < len(shown) and shown[index] == english:
            shown[index] = words
    return fill(text, shown)
