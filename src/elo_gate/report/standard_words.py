"""Turns the words of the standard's page into a language: headings, states, what is for people, the page's own."""

from __future__ import annotations

from .language import ENGLISH, Language

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..ruleset.load import Ruleset

# By the English words; `{}` stands for a number or a text.
_OWN = {
    "pt-BR": {
        "passed": "aprovada",
        "failed": "reprovada",
        "passed (many)": "aprovadas",
        "failed (many)": "reprovadas",
        "not applicable (many)": "não se aplicam",
        "cannot tell": "sem decisão",
        "not applicable": "não se aplica",
        "for people": "para pessoas",
        "looked": "visto",
        "unknown": "incerto",
        "people": "pessoas",
        "clause": "cláusula",
        "clauses": "cláusulas",
        "rule": "regra",
        "rules": "regras",
        "item": "item",
        "items": "itens",
        "blocks": "bloqueia",
        "block": "bloqueiam",
        "the tree": "a árvore",
        "{} found nothing at {} in {}": "{} sem achados em {} de {}",
        "{} undecided": "{} sem decisão",
        "{} (-v names them)": "{} (-v mostra)",
        "{} raised an error: see elo-gate check": "{} com erro interno: veja elo-gate check",
        "not judged": "não julgado",
        "{} for people": "{} para pessoas",
        "Production standard": "Padrão de produção",
        "Judged as of {}.": "Julgado em {}.",
        "Clause": "Cláusula",
        "State": "Estado",
        "Evidence": "Evidência",
        "Failed": "Reprovadas",
        "Cannot tell": "Sem decisão",
        "For people": "Para pessoas",
    }
}


class Words:
    """The words of one language for the standard's page."""

    __slots__ = ("_headings", "_own", "code", "tongue")

    def __init__(self, ruleset: Ruleset, code: str = ENGLISH) -> None:
        self.code = code
        self.tongue = Language(ruleset, code)
        self._own = _OWN.get(code, {})
        self._headings = ruleset.headings(code)

    def say(self, words: str, *values: object) -> str:
        """The page's own words, each `{}` filled; what it has not itself, as every report says it."""
        text = self._own.get(words)
        if text is None:
            return self.tongue.say(words, *values)
        for value in values:
            text = text.replace("{}", str(value), 1)
        return text

    def count(self, number: int, noun: str) -> str:
        """`1 place`, `2 places`."""
        return f"{number} {self.say(noun if number == 1 else noun + 's')}"

    def states(self, number: int, state: str) -> str:
        """`1 passed`, `2 passed`."""
        several = self._own.get(f"{state} (many)", "") if number != 1 else ""
        return f"{number} {several or self.say(state)}"

    def heading(self, clause: str) -> str:
        """What a clause demands."""
        return self._headings.get(clause, "")

    def row(self, row: dict[str, Any]) -> tuple[str, str]:
        """(title, why it is for people) of a row of the coverage table."""
        told = row.get("translations", {}).get(self.code, {})
        return told.get("title", row["title"]), told.get("people", row["people"])
