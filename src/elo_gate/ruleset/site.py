"""Turns the documents of a checkout and its rules into the pages of a site: `python -m elo_gate.ruleset.site OUT`.

OUT gets every document, the standard in each language with the rules of each clause, and a page a rule. Links are
turned from where things lie in the repository to where they lie on the site; what has no page leads to the repository.
A site generator that reads mkdocs.yml makes HTML of it.
"""

from __future__ import annotations

import os
import re
import sys

from ..kinds import KINDS
from .load import data_dir, load
from .page import _sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .load import Rule, Ruleset

    Pages = dict[str, str]

# Where documents outside of docs/ go.
_PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "rules/STANDARD.md": "standard.md",
    "rules/STANDARD.pt-BR.md": "standard.pt-BR.md",
    "rules": "rules/index.md",
}
_PICTURES = (".svg", ".png")
# How a file's text is coloured: by the ending of its name, or by the kind of a rule's only file.
_COLOURS = {
    "js": "js", "ts": "ts", "tsx": "tsx", "json": "json", "toml": "toml", "yaml": "yaml", "yml": "yaml", "sh": "bash",
    "sql": "sql", "conf": "nginx", "py": "python", "md": "markdown", "env": "bash", "production": "docker",
}  # fmt: skip
_OTHER = {"dockerfile": "docker", "env": "bash", "checklist": "markdown", "schedule": "text"}


class SiteError(Exception):
    """There is nothing to make a site of; the message says what is missing."""


def pages(root: str, ruleset: Ruleset) -> Pages:
    """Every page of the site: its path to its Markdown. Raises SiteError where `root` is no checkout."""
    if not os.path.isdir(os.path.join(root, "docs")):
        raise SiteError(f"{root}: there is no docs/ in it; the site is made from a checkout")
    rules = _rules(ruleset)
    made: Pages = {}
    documents = [
        os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
        for folder, _, names in os.walk(os.path.join(root, "docs"))
        for name in names
    ]
    for path in [*_PLACES, *sorted(documents)]:
        if path.endswith(".md"):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = file.read()
            if path.startswith("rules/STANDARD"):
                text = _standard(text, rules)
            made[place(path)] = _linked(_with_rules(text, path, rules), path, root, ruleset.address)
    for identifier, (kinds, rule) in rules.items():
        made[f"rules/{identifier}.md"] = rule_page(ruleset, rule, kinds)
    made["rules/index.md"] = _index(rules, ruleset)
    return made


def place(path: str) -> str:
    """Where a file of the repository lies on the site; "" when it has no page there."""
    if path in _PLACES:
        return _PLACES[path]
    if path.startswith("docs/") and path.endswith((".md", *_PICTURES)):
        return path[5:]
    if path.startswith("rules/") and not path.startswith("rules/data/") and path.endswith(".yaml"):
        return path[:-5] + ".md"
    return ""


def _with_rules(text: str, path: str, rules: dict[str, tuple[list[str], Rule]]) -> str:
    """A document in which each rule that is named in code is a link to it."""
    up = os.path.relpath("rules", os.path.dirname(path) or ".")

    def link(match: re.Match[str]) -> str:
        return f"[{match.group(0)}]({up}/{match.group(1)}.yaml)" if match.group(1) in rules else match.group(0)

    return _outside_fences(text, lambda prose: re.sub(r"(?<!\[)`([a-z0-9]+/[a-z0-9-]+)`(?!\])", link, prose))


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    """A document with its prose changed and its fenced blocks left as they are."""
    parts = re.split(r"(^[ ]*(`{3,}|~{3,})[^\n]*\n.*?^[ ]*\2[ ]*$)", text, flags=re.M | re.S)
    # Of three parts the first is prose, the second a fenced block, the third its fence.
    parts[::3] = [change(part) for part in parts[::3]]
    return "".join(part for at, part in enumerate(parts) if at % 3 != 2)


def _linked(text: str, path: str, root: str, address: str) -> str:
    """A document with its links turned from places in the repository to places on the site."""
    here, there = os.path.dirname(path), os.path.dirname(place(path))

    def turn(match: re.Match[str]) -> str:
        target, mark, part = match.group(2).partition("#")
        if not target or ":" in target:
            return match.group(0)
        meant = os.path.normpath(os.path.join(here, target))
        to = place(meant)
        if to:
            to = os.path.relpath(to, there or ".")
        elif os.path.exists(os.path.join(root, meant)):
            to = f"{address}/{'tree' if os.path.isdir(os.path.join(root, meant)) else 'blob'}/main/{meant}"
        else:
            to = target
        return f"{match.group(1)}({to}{mark}{part})"

    return _outside_fences(text, lambda prose: re.sub(r"(\])\(([^)\s]+)\)", turn, prose))


def _rules(ruleset: Ruleset) -> dict[str, tuple[list[str], Rule]]:
    """Rule id -> the kinds it looks at and the rule, in order of id."""
    found: dict[str, tuple[list[str], Rule]] = {}
    for kind in ruleset.kinds:
        for rule in ruleset.of(kind):
            found.setdefault(rule.id, ([], rule))[0].append(kind)
    return dict(sorted(found.items()))


def _standard(text: str, rules: dict[str, tuple[list[str], Rule]]) -> str:
    """An edition of the standard: each clause with an anchor and, at its end, the rules that check it."""
    by_clause: dict[str, list[str]] = {}
    for identifier, (_, rule) in rules.items():
        for clause in rule.standard:
            by_clause.setdefault(clause, []).append(f"[{identifier}]({identifier}.yaml)")
    lines: list[str] = []
    clause = ""
    for line in [*text.rstrip("\n").split("\n"), "# "]:
        if line.startswith("#") and clause:
            lines += [", ".join(by_clause[clause]), ""] if clause in by_clause else []
            clause = ""
        heading = re.match(r"## ([A-Z]{3}-\d+) ", line)
        if heading:
            clause = heading.group(1)
            line = f"{line} {{#{clause.lower()}}}"
        # Under one title, so that the page has a table of contents.
        lines.append(f"#{line}" if line.startswith("#") and lines else line)
    return "\n".join(lines[:-1]) + "\n"


def _index(rules: dict[str, tuple[list[str], Rule]], ruleset: Ruleset) -> str:
    lines = ["# Rules", "", f"{len(rules)} rules, by folder. Each is one file, and its examples are its tests.", ""]
    folder = ""
    for identifier, (_, rule) in rules.items():
        if identifier.partition("/")[0] != folder:
            folder = identifier.partition("/")[0]
            lines += ["", f"## {folder}", "", "| rule | severity | what is wrong |", "|---|---|---|"]
        title = prose(ruleset.words(identifier)["title"])
        lines.append(f"| [{identifier}]({identifier}.md) | {rule.severity} | {title} |")
    return "\n".join(lines) + "\n"


def rule_page(ruleset: Ruleset, rule: Rule, kinds: list[str]) -> str:
    """The page of a rule in Markdown: what `elo-gate explain` shows, with links."""
    words = ruleset.words(rule.id)
    headings = ruleset.clauses
    levels = [rule.severity]
    if rule.elo:
        levels.append(f'{rule.elo} where `standard = "elo"`')
    if rule.assumed:
        levels.append(f"{rule.assumed} where production is assumed")
    lines = [f"# {prose(words['title'])}", "", f"`{rule.id}`", "", f"- Severity: {', '.join(levels)}"]
    lines += [
        f"- Standard: [{clause} {prose(headings.get(clause, ''))}](../../standard.md#{clause.lower()})"
        for clause in rule.standard
    ]
    looks = ", ".join(KINDS[kind][1] if kind in KINDS else _WIDE.get(kind, kind) for kind in kinds)
    lines.append(f"- Looks at: {looks}")
    lines += [f"- Parameter: `{name} = {value!r}`" for name, value in words["parameters"].items()]
    lines += [f"- [CWE-{number}](https://cwe.mitre.org/data/definitions/{number}.html)" for number in words["cwe"]]
    if words["aliases"]:
        lines.append("- Formerly: " + ", ".join(f"`{name}`" for name in words["aliases"]))
    if rule.edit:
        how = "`--fix`" if rule.edit[0] == "safe" else "`--fix --unsafe-fixes`"
        lines.append(f"- Written by {how}")
    if not words["suppressable"]:
        lines.append("- Cannot be let pass")
    lines += ["", "## Why", "", prose(words["rationale"]), "", "## Fix", "", prose(words["fix"])]
    lines += ["", "## What it says", ""]
    lines += [f"- {prose(re.sub('[{][0-9]+[}]', '…', message))}" for message in words["messages"].values()]
    if words["bad"]:
        lines += ["", "## Wrong", ""]
        for why, text, places in words["bad"]:
            lines += [*([f"{prose(_sentence(why))}", ""] if why else []), *_example(text, kinds[0], places)]
    if words["good"]:
        lines += ["", "## Right", ""]
        for why, text in words["good"]:
            lines += [*([f"{prose(_sentence(why))}", ""] if why else []), *_example(text, kinds[0], ())]
    lines += _origins(ruleset, words)
    told = ruleset.translated(rule.id, "pt-BR")
    if told is not None:
        lines += ["", "## Em português", "", f"**{prose(told['title'])}**", "", prose(told["rationale"]), ""]
        lines.append(f"Correção: {prose(told['shown_fix'])}")
    return "\n".join(lines) + "\n"


_WIDE = {"served": "what a site answers", "project": "the whole tree", "policy": "what is let pass, and elo-gate.toml"}


def _origins(ruleset: Ruleset, words: dict[str, Any]) -> Iterator[str]:
    """The sources of a rule, and the dated tables its facts come from."""
    if words["references"]:
        yield from ("", "## Sources", "")
        for title, url, date in words["references"]:
            yield f"- [{prose(title)}]({url}), looked up {date}"
    for name in words["tables"]:
        table = ruleset.table(name)
        if table is not None:
            yield ""
            where = f"{ruleset.address}/blob/main/rules/data/{name}.yaml"
            yield f"Facts as of {table['as_of']}, from [{name}.yaml]({where}):"
            yield ""
            yield from (
                f"- [{prose(each['title'])}]({each['url']}), looked up {each['date']}" for each in _sources(table)
            )


def _example(text: str, kind: str, places: Any) -> Iterator[str]:
    """An example as fenced blocks, one a file, with the lines marked that the rule points at."""
    files = re.split(r"^--- (\S+)\n", text, flags=re.M)
    named = list(zip(files[1::2], files[2::2], strict=True)) if len(files) > 1 else [("", text)]
    for name, body in named:
        colour = _COLOURS.get(name.rpartition(".")[2].lower(), "text") if name else _colour(kind)
        if name.rpartition("/")[2].lower().startswith("dockerfile"):
            colour = "docker"
        elif name.rpartition("/")[2].startswith(".env"):
            colour = "bash"
        marked = [str(at).rpartition(":")[2] for at in places if not name or str(at).startswith(f"{name}:")]
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
        title = f' title="{name}"' if name else ""
        lines = f' hl_lines="{" ".join(marked)}"' if marked else ""
        yield from (f"{fence}{colour}{title}{lines}", body.rstrip("\n"), fence, "")


def _colour(kind: str) -> str:
    if kind in _OTHER:
        return _OTHER[kind]
    return _COLOURS.get(KINDS[kind][2].rpartition(".")[2], "text") if kind in KINDS else "text"


def _sentence(text: str) -> str:
    """A reason as a sentence: capital first, unless it begins with something as it is written in a file."""
    ending = "" if text.endswith((".", "!", "?", ":")) else "."
    return (text[0].upper() if re.match("[a-z]+[ ,:;]", text) else text[0]) + text[1:] + ending


def prose(text: str) -> str:
    """Plain words as Markdown: what stands between backticks stays code, nothing else is markup."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if at % 2 else _plain(part) for at, part in enumerate(parts))


def _plain(text: str) -> str:
    text = re.sub(r"([\\`*_{}\[\]#])", r"\\\1", text.replace("&", "&amp;"))
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")


def main(arguments: list[str]) -> int:
    """Writes the site's pages below a folder and removes pages there that have gone; exit code 0, 2 when it cannot."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m elo_gate.ruleset.site OUT\n")
        return 2
    out, root = arguments[0], os.path.dirname(data_dir("rules"))
    try:
        made = pages(root, load())
    except SiteError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for path, text in made.items():
        _write(os.path.join(out, path), text.encode())
    for folder, _, names in os.walk(out):
        for name in names:
            if name.endswith(".md") and os.path.relpath(os.path.join(folder, name), out) not in made:
                os.remove(os.path.join(folder, name))
    pictures = os.path.join(root, "docs", "img")
    for name in sorted(os.listdir(pictures)) if os.path.isdir(pictures) else ():
        if name.endswith(_PICTURES):
            with open(os.path.join(pictures, name), "rb") as file:
                _write(os.path.join(out, "img", name), file.read())
    sys.stdout.write(f"{len(made)} pages in {out}\n")
    return 0


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
