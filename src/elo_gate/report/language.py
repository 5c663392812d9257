"""Turns the words of a report for people into another language: those of rules, and the report's own.

Ids, severities in machine formats and what a file says stay as they are. A rule without a translation speaks English.
"""

from __future__ import annotations

import re

from ..engine import fill
from ..model import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..model import Finding
    from ..ruleset.load import Ruleset
    from ..verdict import Verdict

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
        # The page, its drawing, Markdown.
        "development": "desenvolvimento",
        "example": "exemplo",
        "test": "teste",
        "finding": "achado",
        "findings": "achados",
        "place": "lugar",
        "places": "lugares",
        "link": "ligação",
        "links": "ligações",
        "line": "linha",
        "all": "todos",
        "Deployment": "Implantação",
        "Standard": "Padrão",
        "Findings": "Achados",
        "Let pass": "Dispensados",
        "Coverage": "Cobertura",
        "Not analysed": "Não analisado",
        "Sections": "Seções",
        "Skip to the report": "Ir para o relatório",
        "judged as of {}": "julgado em {}",
        "Everything that is production was read and judged, and nothing blocks.":
        "Tudo o que é produção foi lido e julgado, e nada bloqueia.",
        "Everything was judged, and something blocks the release.": "Tudo foi julgado, e algo bloqueia a entrega.",
        "Something that had to be looked at was not, so there is no verdict.":
        "Algo que precisava ser examinado não foi, por isso não há veredito.",
        "{} at or above the threshold, '{}', block the release.":
        "{} no limiar '{}' ou acima dele bloqueiam a entrega.",
        "files judged": "arquivos julgados",
        "rules asked": "regras consultadas",
        "files set aside": "arquivos postos de lado",
        "files of no kind that is judged": "arquivos de nenhum tipo julgado",
        "answers undecided": "respostas sem decisão",
        "answer undecided": "resposta sem decisão",
        "file judged": "arquivo julgado",
        "file set aside": "arquivo posto de lado",
        "file of no kind that is judged": "arquivo de nenhum tipo julgado",
        "finding let pass": "achado dispensado",
        "rule asked": "regra consultada",
        "findings let pass": "achados dispensados",
        "Clause": "Cláusula",
        "What it asks": "O que pede",
        "Result": "Resultado",
        "Looked at, nothing found": "Examinado, sem achados",
        "{}: {} in {}": "{}: {} em {}",
        "Filter": "Filtro",
        "Severity": "Severidade",
        "File": "Arquivo",
        "Rule": "Regra",
        "Words": "Palavras",
        "Show all": "Mostrar tudo",
        "{} of {} findings shown": "{} de {} achados exibidos",
        "Where": "Onde",
        "Place": "Lugar",
        "What is wrong": "O que está errado",
        "What to write": "O que escrever",
        "Reason": "Motivo",
        "Until": "Até",
        "Judged": "Julgados",
        "Undecided": "Sem decisão",
        "Kind": "Tipo",
        "Environment": "Ambiente",
        "Told by": "Como se sabe",
        "{} more findings do not fit here.": "Mais {} achados não cabem aqui.",
        "The deployment": "A implantação",
        "The same as a table": "O mesmo em tabela",
        "The table below says the same.": "A tabela abaixo diz o mesmo.",
        "The drawing could not be made: {}.": "O desenho não pôde ser feito: {}.",
        "{} and {}; broken: {}.": "{} e {}; quebradas: {}.",
        "Entrances and pipelines": "Entradas e pipelines",
        "Runs on": "Onde roda",
        "Image": "Imagem",
        "Application": "Aplicação",
        "Pipeline job": "Job do pipeline",
        "Service": "Serviço",
        "Part": "Parte",
        "What it says": "O que diz",
        "Tied to": "Ligado a",
        "passes requests on to": "repassa requisições a",
        "deploys": "implanta",
        "is made from, or the same as": "é feito de, ou o mesmo que",
        "broken, with the number of the finding": "quebrado, com o número do achado",
        "port {}": "porta {}",
        "user {}": "usuário {}",
        "no TLS": "sem TLS",
        "published {}": "publica {}",
        "headers {} of {} set": "cabeçalhos: {} de {}",
        "headers {} of {} set, {} unknown": "cabeçalhos: {} de {}, {} incertos",
        "env names: {}": "nomes de env: {}",
        "env names: {}, perhaps more": "nomes de env: {}, talvez mais",
        "deploys to {}": "implanta em {}",
        "after {}": "depois de {}",
        "after no gate": "sem nenhuma verificação antes",
    },
}  # fmt: skip


# What checks say in words within an argument, by the English words; the rest of an argument is the file's own.
_PHRASES = {
    "pt-BR": {
        "a HorizontalPodAutoscaler": "um HorizontalPodAutoscaler",
        "a PodDisruptionBudget": "um PodDisruptionBudget",
        "a preStop hook": "um hook preStop",
        "a rollout that keeps pods up (maxUnavailable below the number of replicas)": "um rollout que mantém pods "
        "de pé (maxUnavailable abaixo do número de réplicas)",
        "no version": "nenhuma versão",
        "every host": "todos os hosts",
        "the root folder": "a pasta raiz",
        "the rate limiter": "o limitador de requisições",
        "the sanitiser": "o sanitizador",
        "the error tracking": "o rastreamento de erros",
        "the analytics": "a análise de acessos",
        "the backup": "o backup",
        "type check": "verificação de tipos",
        "security audit": "auditoria de segurança",
    },
}  # fmt: skip
_MORE = {"pt-BR": (re.compile(r" and (\d+) more$"), r" e mais \1")}


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

    def found(self, verdict: Verdict) -> str:
        """What a run found: `2 errors, 1 warning, 0 notes in 2 files, 1 let pass`."""
        counts = ", ".join(self.count(verdict.count(level), level) for level in SEVERITIES)
        files = self.count(len({finding.source.path for finding in verdict.findings}), "file")
        found = f"{counts} {self.say('in')} {files}" if verdict.findings else self.say("no findings")
        return found + (", " + self.say("{} let pass", len(verdict.suppressed)) if verdict.suppressed else "")

    def title(self, identifier: str) -> str:
        return self._words(identifier, "title")

    def rationale(self, identifier: str) -> str:
        return self._words(identifier, "rationale")

    def message(self, finding: Finding) -> str:
        """A finding's message; its arguments are the same in every language."""
        told = self._told(finding.rule.id)
        return self._filled(told["messages"][finding.message_id], finding.arguments) if told else finding.message

    def fix(self, finding: Finding) -> str:
        """What to write instead."""
        told = self._told(finding.rule.id)
        return self._filled(told["fix"], finding.fix_arguments) if told else finding.fix

    def _told(self, identifier: str) -> dict[str, Any] | None:
        return self._ruleset.translated(identifier, self.code) if self.code != ENGLISH else None

    def _words(self, identifier: str, name: str) -> str:
        told = self._told(identifier)
        return str(told[name] if told else self._ruleset.words(identifier)[name])

    def _filled(self, template: tuple[str, dict[int, tuple[str, str]]], arguments: list[str]) -> str:
        text, absent = template
        shown = [self._argument(each) for each in arguments]
        for index, (english, words) in absent.items():
            if index < len(arguments) and arguments[index] == english:
                shown[index] = words
        return fill(text, shown)

    def _argument(self, text: str) -> str:
        """An argument with the words of checks exchanged; a list's elements each."""
        phrases = _PHRASES[self.code]
        more, words = _MORE[self.code]
        return ", ".join(phrases.get(each, each) for each in more.sub(words, text).split(", "))
