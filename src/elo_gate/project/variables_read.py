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
_NAMES = ("dot", "key", "denokey", "item", "get", "getenv")
# What Vite sets itself: https://vite.dev/guide/env-and-mode
_VITE = frozenset(("MODE", "DEV", "PROD", "SSR", "BASE_URL"))
_DESTRUCTURED = re.compile(r"\{([^{}]*)\}\s*(?::\s*[\w.<>]+\s*)?=\s*$")
_MEMBER = re.compile(r"(?:^|,)\s*(?:\.\.\.\w+|([A-Za-z_]\w*)\s*(?::\s*\w+)?\s*(=)?)")
_SCHEMA = re.compile(r"(?m)^[ \t]*['\"]?([A-Z][A-Z0-9_]*)['\"]?[ \t]*:\s*(?=\S)(?!process\.env|import\.meta)")
_LENIENT = re.compile(r"\.(?:optional|default|nullish|nullable|catch|prefault)\(|\boptional\(|\bundefined\b")
_AFTER = re.compile(
    r"(?P<write>\s*(?:=(?![=>])|\+=|\?\?=|\|\|=))"
    r"|(?P<optional>\s*(?:\?\?|\|\||&&|[!=]==?|\?[^:])|\s+(?:or|and|is|if|in|not)\b|\s*\)*\s+(?:as\s+\w+\s*\|\s*undefined))"
    r"|(?P<required>!(?!=)|\s+as\s+(?:string|`)|\.[A-Za-z_]|\[)"
)
_BEFORE = re.compile(
    r"(?P<optional>(?:!|\|\||\?|&&|\bBoolean\(|\btypeof|\b(?:if|while|not|and|or|elif)\s*\(?|\bin|[!=]==?)\s*)$"
    r"|(?P<write>\bdelete\s+)$"
    r"|(?P<required>\bnew URL\(\s*|\b(?:require|required|must|assert|invariant|ensure|need|nonEmpty|check)\w*\((?:[^()]*,)?\s*)$",
)
_THROWS = re.compile(r"[^{};]*?\)?\s*\{?\s*(?:throw\b|process\.exit\(\s*1|raise\b|return\s+die\()")
_ASIDE = frozenset(
    ("test", "tests", "__tests__", "spec", "specs", "e2e", "mocks", "__mocks__", "fixtures", "__fixtures__", "cypress",
     "playwright", "testing", "stories", "examples", "example", "docs", "benchmark", "benchmarks", "loadtest",
     "storybook", ".storybook", "playground", "templates", "dist", "vendor")
)  # fmt: skip
_TOOLS = frozenset(("scripts", "script", "bin", "tools", "tooling", "hack", "cli", "seed", "seeds", "migrations", "ci"))
_BUILDS = ("next.config", "vite.config", "nuxt.config", "astro.config", "svelte.config", "remix.config", "webpack.config")
_MARKERS = ("package.json",)
_PYTHON = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "package.json")


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
            home = homes[folder, python] = home_of(project, folder, _PYTHON if python else _MARKERS)
        one = found.get(home)
        if one is None:
            one = found[home] = Application(home)
        one.files += 1
        if not data:
            one.empty += not path.endswith("__init__.py")
            continue
        if any(word in data for word in _WORDS):
            _scan(project, path, data, where, one)
    return found


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


def home_of(project: Any, folder: str, markers: tuple[str, ...] = _PYTHON) -> str:
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
    for match in _READ.finditer(text):
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
        if form == PLAIN and name in schema:
            continue
        node = Node(SCALAR, name, source, match.start(group), match.end(group))
        into.reads.append(Read(name, node, form, where, _label(text, match.start())))
    if schema and source is None and "createEnv" in text:
        source = project.read(path)
    if schema and source is not None:
        for name, (start, form) in schema.items():
            into.reads.append(Read(name, Node(SCALAR, name, source, start, start + len(name)), form, where, "schema"))
        into.reads.sort(key=lambda each: (each.node.source.path, each.node.start))


def _schema_of(text: str) -> dict[str, tuple[int, str]]:
    """Name -> (offset, form) of the keys of an environment schema: t3-env's createEnv, or zod over process.env."""
    if "createEnv(" not in text and not ("z.object(" in text and re.search(r"arse\(\s*process\.env\s*\)", text)):
        return {}
    found: dict[str, tuple[int, str]] = {}
    keys = list(_SCHEMA.finditer(text))
    for at, key in enumerate(keys):
        end = keys[at + 1].start() if at + 1 < len(keys) else min(len(text), key.end() + 600)
        said = re.split(r"\n[ \t]*\}|\n[ \t]*(?:client|runtimeEnv|shared|server)\w*\s*:", text[key.end() : end], maxsplit=1)[0]
        if re.match(r"(?:z|v|s|Schema|type|str|num|bool|url|process\.env\S*\s*[=!]==?)\b", said) and key[1] not in found:
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
    after = _AFTER.match(text, match.end() + (group in ("get", "getenv", "denokey") and text[match.end() : match.end() + 1] == ")"))
    follow = after.lastgroup if after is not None else None
    if "write" in (kind, follow):
        return "write"
    if kind == OPTIONAL and before_text.rstrip().endswith("!") and _THROWS.match(text, match.end()):
        return REQUIRED
    if kind == OPTIONAL or follow == OPTIONAL:
        return OPTIONAL
    if kind == REQUIRED or follow == REQUIRED:
        return REQUIRED
    return PLAIN


def _label(text: str, at: int) -> str:
    """The key under which a value is put: `url` of `url: process.env.X`, "" when there is none."""
    found = re.search(r"([A-Za-z_]\w*)['\"]?\s*[:=]\s*$", text[max(0, at - 60) : at])
    return found[1] if found is not None else ""


def _in_comment(text: str, at: int, path: str) -> bool:
    """Whether an offset stands in a comment, as far as its line and the block's opening tell."""
    begin = text.rfind("\n", 0, at) + 1
    line = text[begin:at]
    start = line.lstrip()
    if path.endswith(".py"):
        return start.startswith("#")
    if start.startswith(("//", "*", "/*")) or re.search(r"(?:^|[\s;,{}()])//(?!['\"])", line):
        return True
    opening = text.rfind("/*", 0, at)
    return opening >= 0 and text.find("*/", opening, at) < 0 and text[max(0, opening - 1) : opening] in ("", "\n", " ", "\t", "{")
