"""Turns program code into the environment variables it reads: each name, where, and what happens without a value.

No grammar is loaded for it: a file in which no word of the environment occurs is left after one look at its bytes, the
rest is read with one regular expression. Forms:

* "required": the code fails without a value (`process.env.X!`, `.split(` on it, `os.environ["X"]`, a schema's key);
* "plain": it is read and nothing says what happens without it;
* "optional": there is a default, a test, or another variable to fall back on.
"""

from __future__ import annotations

import re

from ..discover import Unreadable, decode
from ..model import SCALAR, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Source

REQUIRED, PLAIN, OPTIONAL = "required", "plain", "optional"
# Where a read stands: in what runs in production, in what configures the build, in what people run by hand.
APP, BUILD, TOOL = "app", "build", "tool"

_WORDS = (b".env", b"environ", b"getenv", b"createEnv")
_READ = re.compile(
    r"(?P<js>\b(?:globalThis\.)?process\.env|\bimport\.meta\.env|\bBun\.env)\b"
    r"(?:(?:\?\.|!?\.)(?P<dot>[A-Za-z_]\w*)|(?:\?\.|!)?\[\s*(?:(['\"`])(?P<key>[A-Za-z_]\w*)\3\s*\]|(?P<dynamic>)))?"
    r"|\bDeno\.env\.(?P<deno>get)\(\s*(['\"])(?P<denokey>[A-Za-z_]\w*)\7"
    r"|\b(?P<py>(?:os\.)?environ)\b(?:\[\s*(['\"])(?P<item>[A-Za-z_]\w*)\10\s*\]"
    r"|\.(?:get|setdefault|pop)\(\s*(['\"])(?P<get>[A-Za-z_]\w*)\12(?P<more>\s*,)?|(?P<pydynamic>[\[.]))?"
    r"|\b(?:os\.)?getenv\(\s*(['\"])(?P<getenv>[A-Za-z_]\w*)\16(?P<else>\s*,)?"
)
_HOLDERS = ("process", "import.meta", "Deno", "Bun")
_NAMES = ("dot", "key", "denokey", "item", "get", "getenv")
# What Vite sets itself: https://vite.dev/guide/env-and-mode
_VITE = frozenset(("MODE", "DEV", "PROD", "SSR", "BASE_URL"))
_DESTRUCTURED = re.compile(r"\{([^{}]*)\}\s*(?::\s*[\w.<>]+\s*)?=\s*$")
_MEMBER = re.compile(r"(?:^|,)\s*(?:\.\.\.\w+|([A-Za-z_]\w*)\s*(?::\s*\w+)?\s*(=)?)")
_SCHEMA = re.compile(
    r"(?m)^[ \t]*['\"]?([A-Z][A-Z0-9_]*)['\"]?[ \t]*:\s*(?=\S)(?!(?:process|import\.meta)\.env\.\w+!?,?$)"
)
_OBJECT = re.compile(r"\bz\.\w*[oO]bject\(")
_PARSED = re.compile(r"arse\(\s*process\.env\s*\)")
_SECTION = re.compile(r"\n[ \t]*\}|\n[ \t]*(?:client|runtimeEnv|shared|server)\w*\s*:")
_TYPE = re.compile(r"(?:z|v|s|Schema|type|str|num|bool|url)\b|process\.env\S*\s*[=!]==?")
_LENIENT = re.compile(r"\.(?:optional|default|nullish|nullable|catch|prefault)\(|\boptional\(|\bundefined\b")
_AFTER = re.compile(
    r"(?P<write>\s*(?:=(?![=>])|\+=|\?\?=|\|\|=))"
    r"|(?P<optional>\s*(?:\?\?|\|\||&&|[!=]==?|\?[^:])|[ \t]+(?:or|and|is|if|in|not)\b|\s+as\s+\w+\s*\|\s*undefined)"
    r"|(?P<required>!(?!=)|\s+as\s+(?:string|`)|\.[A-Za-z_]|\[)"
)
_BEFORE = re.compile(
    r"(?P<optional>(?:!|\|\||\?|&&|\bBoolean\(|\btypeof|\b(?:if|while|not|and|or|elif)\s*\(?|\bin|[!=]==?)\s*)$"
    r"|(?P<write>\bdelete\s+)$"
    r"|(?P<required>(?:\bnew URL\(|\b(?:require|must|assert|invariant|ensure|need|check)\w*\((?:[^()]*,)?)\s*)$"
)
_THROWS = re.compile(r"(?!\s*&&)[^{};]{0,400}?[):]?\s*+\{?\s*+(?:throw\b|process\.exit\(\s*+1|raise\b|return\s++die\()")
_ASIDE = frozenset(
    ("test", "tests", "__tests__", "spec", "specs", "e2e", "mocks", "__mocks__", "fixtures", "__fixtures__", "cypress",
     "playwright", "testing", "stories", "examples", "example", "docs", "benchmark", "benchmarks", "loadtest",
     "storybook", ".storybook", "playground", "templates", "dist", "vendor")
)  # fmt: skip
_TOOLS = frozenset(
    ("scripts", "script", "bin", "tools", "tooling", "hack", "cli", "seed", "seeds", "migrations", "ci", "supabase",
     "infra", "infrastructure", "cdk", "pulumi", "deploy", "deployment", "terraform", ".github")
)  # fmt: skip
_BUILDS = tuple(f"{name}.config" for name in ("next", "vite", "nuxt", "astro", "svelte", "remix", "webpack"))
_PYTHON = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile")


class Read:
    """One place at which code reads a variable: its node is the name."""

    __slots__ = ("name", "node", "form", "where", "context")

    def __init__(self, name: str, node: Node, form: str, where: str, context: str = "") -> None:
        self.name = name
        self.node = node
        self.form = form
        self.where = where
        self.context = context  # the word before a value in an object or call: `dsn` of `dsn: process.env.X`


class Application:
    """The code of one package: `folder` ends with `/`, "" for the root.

    `reads` in order of path and place; `open`: nodes at which names are computed, so that more may be read;
    `sources`: paths of its files that read the environment; `hidden`: the code is not shown (files without content).
    """

    __slots__ = ("folder", "reads", "open", "sources", "files", "empty")

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.reads: list[Read] = []
        self.open: list[Node] = []
        self.sources: list[str] = []
        self.files = 0
        self.empty = 0

    @property
    def hidden(self) -> bool:
        """Most of its files are empty stand-ins: nothing follows from what is not found in them."""
        return self.empty * 2 > self.files


def applications(project: Any) -> dict[str, Application]:
    """Folder -> the application whose code lies there, for every package with code; tests and fixtures left out."""
    found: dict[str, Application] = {}
    homes: dict[tuple[str, bool], str] = {}
    read = project.tree.read
    for path in sorted(project.programs):
        where = place_of(path)
        if not where:
            continue
        try:
            data = read(path)
        except Unreadable:
            continue
        folder, _, _ = path.rpartition("/")
        python = path.endswith(".py")
        home = homes.get((folder, python))
        if home is None:
            home = homes[folder, python] = _home(project, folder, python)
        one = found.get(home)
        if one is None:
            one = found[home] = Application(home)
        if python and where == APP and not home and project.tree.exists("package.json"):
            where = TOOL if not any(project.tree.exists(name) for name in _PYTHON) else APP
        one.files += 1
        if not data:
            one.empty += not path.endswith("__init__.py")
            continue
        if any(word in data for word in _WORDS):
            _scan(project, path, data, where, one)
    return found


def _home(project: Any, folder: str, python: bool) -> str:
    """The package of a folder's files."""
    return home_of(project, folder, _PYTHON if python else ("package.json",))


def place_of(path: str) -> str:
    """APP, BUILD or TOOL; "" for tests, examples and what is generated."""
    folder, _, name = path.rpartition("/")
    steps = folder.lower().split("/") if folder else []
    words = name.lower().split(".")
    if _ASIDE.intersection(steps) or len(words) > 2 and words[-2] in ("test", "spec", "stories", "d", "min", "e2e"):
        return ""
    if name.startswith("test_") and name.endswith(".py") or name in ("conftest.py", "setup.py"):
        return ""
    if name.startswith(_BUILDS):
        return BUILD
    if _TOOLS.intersection(steps) or "config" in words[1:-1] or words[0] in ("gulpfile", "gruntfile", "seed"):
        return TOOL
    return APP


def home_of(project: Any, folder: str, markers: tuple[str, ...] = (*_PYTHON, "package.json")) -> str:
    """The nearest folder at or above one that is a package, with a final `/`; "" when none is or the root is."""
    while folder:
        if any(project.tree.exists(f"{folder}/{name}") for name in markers):
            return folder + "/"
        folder = folder.rpartition("/")[0]
    return ""


def _scan(project: Any, path: str, data: bytes, where: str, into: Application) -> None:
    try:
        text = decode(data)
    except Unreadable:
        return
    source = None
    schema = _schema_of(text)
    for match in _matches(text, path.endswith(".py")):
        group = next((each for each in _NAMES if match[each]), None)
        if _in_comment(text, match.start(), path):
            continue
        if source is None:
            source = project.read(path)
            if source is None:
                return
            into.sources.append(path)
        if group is None:
            _whole(text, match, source, where, into, schema)
            continue
        form = _form(text, match, group)
        if form == "write":
            continue
        name = match[group]
        if match["js"] == "import.meta.env" and name in _VITE:
            continue
        label = _label(text, match.start())
        if form == PLAIN and name in schema:
            continue
        if form == PLAIN and schema and label == name:
            form = OPTIONAL  # a line that feeds a schema whose type is made elsewhere
        elif form == PLAIN and label:
            form = _tested(text, label, match.end())
        node = Node(SCALAR, name, source, match.start(group), match.end(group))
        into.reads.append(Read(name, node, form, where, label))
    if schema and source is None and "createEnv" in text:
        source = project.read(path)
    if schema and source is not None:
        for name, (start, form) in schema.items():
            into.reads.append(Read(name, Node(SCALAR, name, source, start, start + len(name)), form, where, "schema"))
        into.reads.sort(key=lambda each: (each.node.source.path, each.node.start))


def _matches(text: str, python: bool) -> Iterator[re.Match[str]]:
    """Where the environment is named. Words are found first: an expression alone is ten times slower."""
    for word in ("environ", "getenv") if python else (".env",):
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            start = at
            if python:
                start -= 3 * text.startswith("os.", max(0, at - 3))
            else:
                start = next((at - len(each) for each in _HOLDERS if text.endswith(each, 0, at)), -1)
            match = _READ.match(text, start) if start >= 0 else None
            if match is not None and (start == 0 or not text[start - 1].isidentifier()):
                yield match
                end = max(end, match.end())
            at = text.find(word, end)


def _schema_of(text: str) -> dict[str, tuple[int, str]]:
    """Name -> (offset, form) of the keys of an environment schema: t3-env's createEnv, or zod over process.env."""
    if "createEnv(" not in text and not (_OBJECT.search(text) and _PARSED.search(text)):
        return {}
    found: dict[str, tuple[int, str]] = {}
    keys = list(_SCHEMA.finditer(text))
    for at, key in enumerate(keys):
        end = keys[at + 1].start() if at + 1 < len(keys) else min(len(text), key.end() + 600)
        said = _SECTION.split(text[key.end() : end], maxsplit=1)[0]
        if _TYPE.match(said) and key[1] not in found:
            found[key[1]] = (key.start(1), OPTIONAL if _LENIENT.search(said) else REQUIRED)
    return found


def _whole(
    text: str, match: re.Match[str], source: Source, where: str, into: Application, schema: dict[str, Any]
) -> None:
    """`process.env` as a whole: taken apart into names, or passed on, which leaves the names open."""
    before = text[max(0, match.start() - 600) : match.start()]
    taken = _DESTRUCTURED.search(before)
    if taken is not None and match["dynamic"] is None:
        base = match.start() - len(before)
        for member in _MEMBER.finditer(taken[1]):
            if member[1]:
                start = base + taken.start(1) + member.start(1)
                node = Node(SCALAR, member[1], source, start, start + len(member[1]))
                into.reads.append(Read(member[1], node, OPTIONAL if member[2] else PLAIN, where))
        return
    if schema or re.search(r"\bin\s+$", before) or match["pydynamic"] == ".":
        return
    into.open.append(Node(SCALAR, match[0], source, match.start(), match.end()))


def _form(text: str, match: re.Match[str], group: str) -> str:
    """What the code around a read says about a value that is not there; "write" when it is set and not read."""
    if group == "item":
        after = _AFTER.match(text, match.end())
        return "write" if after is not None and after["write"] else REQUIRED
    if group in ("get", "getenv") and (match["more"] or match["else"]):
        return OPTIONAL
    before_text = text[max(0, match.start() - 120) : match.start()]
    before = _BEFORE.search(before_text)
    kind = before.lastgroup if before is not None else None
    called = group in ("get", "getenv", "denokey") and text.startswith(")", match.end())
    after = _AFTER.match(text, match.end() + called)
    follow = after.lastgroup if after is not None else None
    if "write" in (kind, follow):
        return "write"
    if kind == OPTIONAL and before_text.rstrip().endswith("!") and _THROWS.match(text, match.end()):
        return REQUIRED
    if OPTIONAL in (kind, follow):
        return OPTIONAL
    return REQUIRED if REQUIRED in (kind, follow) else PLAIN


def _tested(text: str, name: str, at: int) -> str:
    """What the next lines do with the name that a value was given: `const key = process.env.KEY; if (!key) throw`."""
    following = text[at : at + 600]
    if name not in following:
        return PLAIN
    test = re.search(rf"\bif\s*\(?[^{{}};)\n]*?(?<![\w.]){name}\b", following)
    if test is None:
        return PLAIN
    absent = re.search(rf"!\s*{name}\Z|\bnot\s+{name}\Z", test[0])
    return REQUIRED if absent is not None and _THROWS.match(following, test.end()) else OPTIONAL


def _label(text: str, at: int) -> str:
    """The key under which a value is put: `url` of `url: process.env.X`, "" when there is none."""
    found = re.search(r"([A-Za-z_]\w*)['\"]?\s*[:=]\s*$", text[max(0, at - 60) : at])
    return found[1] if found is not None else ""


def _in_comment(text: str, at: int, path: str) -> bool:
    """Whether an offset stands in a comment, as far as its line and the block's opening tell."""
    begin = text.rfind("\n", 0, at) + 1
    line = text[max(begin, at - 2_000) : at]  # a longer one is no line that somebody wrote
    start = text[begin : min(at, begin + 2_000)].lstrip()
    if path.endswith(".py"):
        return start.startswith("#")
    if start.startswith(("//", "*", "/*")) or re.search(r"(?:^|[\s;,{}()])//(?!['\"])", line):
        return True
    opening = text.rfind("/*", max(0, at - 100_000), at)
    starts = opening >= 0 and text[max(0, opening - 1) : opening] in ("", "\n", " ", "\t", "{")
    return starts and text.find("*/", opening, at) < 0
