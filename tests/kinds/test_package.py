"""package.json and lockfiles to facts; what is not shown leads to no conclusion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.kinds.package import Package, floor, nearest
from elo_gate.model import Source


class Tree:
    """A project that is a dictionary."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files = {
            path: text if isinstance(text, str) else json.dumps(text, indent=2) for path, text in files.items()
        }

    def exists(self, path: str) -> bool:
        return path in self.files or any(name.startswith(path + "/") for name in self.files)

    def read(self, path: str) -> Source | None:
        return Source(path, self.files[path]) if path in self.files else None


def package(files: dict[str, Any], path: str = "package.json") -> Package:
    return Package(Tree(files), path)


APP = {
    "name": "web",
    "scripts": {"build": "next build", "odd": 3},
    "dependencies": {"next": "^15.3.0", "react": "19.1.0", "@acme/ui": "workspace:*"},
    "devDependencies": {"typescript": "~5.8.2"},
    "engines": {"node": ">=22"},
}


def test_what_package_json_says() -> None:
    app = package({"package.json": APP})
    assert app.scripts_known
    assert (app.has("next"), app.has("typescript"), app.has("vue")) == (True, True, False)
    assert (app.range("next"), app.range("typescript"), app.range("vue")) == ("^15.3.0", "~5.8.2", None)
    assert (app.script("build"), app.script("start")) == ("next build", None)
    assert app.engines("node") == ">=22"
    assert (app.name, app.path, app.folder, app.lockfile) == ("web", "package.json", "", None)
    assert app.version("react") == "19.1.0"
    assert app.version("next") is None
    assert app.floor("next") == (15, 3, 0)


@pytest.mark.parametrize("text", ["", " \n", "[1]", "{", '"a"'])
def test_nothing_is_known_of_what_is_not_shown(text: str) -> None:
    app = package({"package.json": text})
    assert not app.scripts_known
    assert not app.has("next")
    assert app.version("next") is app.range("next") is app.floor("next") is app.script("build") is app.lockfile is None
    assert app.workspaces == []


@pytest.mark.parametrize(
    ("text", "lowest"),
    [
        ("15.3.3", (15, 3, 3)), ("=15.3.3", (15, 3, 3)), ("v15.3.3", (15, 3, 3)), ("^15.3.1", (15, 3, 1)), ("~15.3", (15, 3, 0)),
        ("15", (15, 0, 0)), ("15.x", (15, 0, 0)), ("15.2.*", (15, 2, 0)), (">=14.1 <16", (14, 1, 0)), (">= 14.1", (14, 1, 0)),
        (">14.1", (14, 2, 0)), (">14.1.2", (14, 1, 3)), ("<16", (0, 0, 0)), ("14.1.0 - 15", (14, 1, 0)), ("^14 || ^15.1", (14, 0, 0)),
        ("^15.1||^14", (14, 0, 0)), ("15.4.0-canary.7", (15, 4, 0)), ("^15.4.0-canary.7+b", (15, 4, 0)),
        ("*", None), ("", None), ("latest", None), ("x", None), ("file:../next", None), ("workspace:^", None), ("link:.", None),
        ("https://example.com/next.tgz", None), ("acme/next#v15.1.0", None), ("^15 || latest", None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_floors(text: str, lowest: tuple[int, int, int] | None) -> None:
    assert floor(text) == lowest


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.^~<>=|x*- v+a", max_size=20))
def test_any_range_has_a_floor_or_none(text: str) -> None:
    lowest = floor(text)
    assert lowest is None or len(lowest) == 3


NPM = {"lockfileVersion": 3, "packages": {
    "": {"name": "web", "dependencies": {"next": "^15.3.0"}},
    "node_modules/a/node_modules/next": {"version": "1.0.0"},
    "node_modules/next": {"version": "15.3.4", "resolved": "https://registry.npmjs.org/next/-/next-15.3.4.tgz"},
    "node_modules/react": {"version": "19.1.1"},
    "node_modules/@acme/ui": {"resolved": "packages/ui", "link": True},
    "packages/ui": {"version": "0.0.1"},
}}  # fmt: skip
NPM_1 = {"lockfileVersion": 1, "dependencies": {
    "a": {"version": "1.0.0", "dependencies": {"next": {"version": "1.0.0"}}},
    "next": {"version": "15.3.4", "requires": {"react": "^19.0.0"}},
    "react": {"version": "19.1.1"},
}}  # fmt: skip
PNPM_9 = """\
lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      '@acme/ui':
        specifier: workspace:*
        version: link:packages/ui
      next:
        specifier: ^15.3.0
        version: 15.3.4(react-dom@19.1.1(react@19.1.1))(react@19.1.1)
      react:
        specifier: 19.1.0
        version: 19.1.1
    devDependencies:
      typescript:
        specifier: ~5.8.2
        version: 5.8.3

  apps/docs:
    dependencies:
      next:
        specifier: ^14
        version: 14.2.1

packages:

  next@13.0.0:
    resolution: {integrity: sha512-x}
"""
PNPM_6 = """\
lockfileVersion: '6.0'

dependencies:
  next:
    specifier: ^15.3.0
    version: 15.3.4(react@19.1.1)
  react:
    specifier: 19.1.0
    version: 19.1.1

devDependencies:
  typescript:
    specifier: ~5.8.2
    version: 5.8.3
"""
PNPM_5 = """\
lockfileVersion: 5.4

specifiers:
  next: ^15.3.0

dependencies:
  next: 15.3.4_react@19.1.1
  react: 19.1.1

devDependencies:
  typescript: 5.8.3
"""
YARN_1 = """\
# yarn lockfile v1


"@acme/next@^15.3.0":
  version "1.0.0"

next@^14.0.0:
  version "14.0.0"

next@15.x, next@^15.3.0:
  version "15.3.4"
  resolved "https://registry.yarnpkg.com/next/-/next-15.3.4.tgz"
  dependencies:
    react "^19.0.0"

react@19.1.0, react@^19.0.0:
  version "19.1.1"
"""
YARN_4 = """\
__metadata:
  version: 8

"next@npm:15.x, next@npm:^15.3.0":
  version: 15.3.4
  resolution: "next@npm:15.3.4"
  dependencies:
    react: "npm:^19.0.0"

"react@npm:19.1.0":
  version: 19.1.1
  resolution: "react@npm:19.1.1"

"web@workspace:.":
  version: 0.0.0-use.local
"""
BUN = """\
{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "web", "dependencies": { "next": "^15.3.0", }, },
  },
  "packages": {
    "@acme/ui": ["@acme/ui@workspace:packages/ui"],
    "next": ["next@15.3.4", "", { "dependencies": { "react": "^19" } }, "sha512-x"],
    "react": ["react@19.1.1", "", {}, "sha512-x"],
    "docs/next": ["next@14.2.1", "", {}, "sha512-x"],
  }
}
"""


@pytest.mark.parametrize(
    ("name", "text", "manager"),
    [
        ("package-lock.json", NPM, "npm"), ("package-lock.json", NPM_1, "npm"), ("npm-shrinkwrap.json", NPM, "npm"),
        ("pnpm-lock.yaml", PNPM_9, "pnpm"), ("pnpm-lock.yaml", PNPM_6, "pnpm"), ("pnpm-lock.yaml", PNPM_5, "pnpm"),
        ("yarn.lock", YARN_1, "yarn"), ("yarn.lock", YARN_4, "yarn"), ("bun.lock", BUN, "bun"),
        ("pnpm-lock.yaml", PNPM_9.replace("\n", "\r\n"), "pnpm"), ("yarn.lock", YARN_1.replace("\n", "\r\n"), "yarn"),
    ],
)  # fmt: skip
def test_versions_from_lockfiles(name: str, text: Any, manager: str) -> None:
    app = package({"package.json": APP, name: text})
    assert app.lockfile == (name, manager)
    assert app.version("next") == "15.3.4"
    assert app.version("react") == "19.1.1"
    assert app.version("@acme/ui") is None
    assert app.version("vue") is None
    if manager == "pnpm":
        assert app.version("typescript") == "5.8.3"


@pytest.mark.parametrize("name", ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"])
def test_an_empty_lockfile_leaves_the_exact_pin(name: str) -> None:
    app = package({"package.json": APP, name: ""})
    assert app.lockfile is not None
    assert (app.version("next"), app.version("react")) == (None, "19.1.0")


WORKSPACE = {
    "package.json": {"name": "root", "private": True, "workspaces": ["apps/*", "!apps/old"]},
    "apps/docs/package.json": {"name": "docs", "dependencies": {"next": "^14"}},
    "apps/old/package.json": {"name": "old", "dependencies": {"next": "^14"}},
    "tools/x/package.json": {"name": "x", "dependencies": {"next": "^14"}},
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pnpm-lock.yaml", PNPM_9),
        ("bun.lock", BUN),
        ("package-lock.json", {"lockfileVersion": 3, "packages": {
            "apps/docs/node_modules/next": {"version": "14.2.1"}, "node_modules/next": {"version": "15.3.4"},
        }}),
        ("yarn.lock", "next@^14:\n  version \"14.2.1\"\n"),
    ],
)  # fmt: skip
def test_the_lockfile_at_the_top_of_a_workspace(name: str, text: Any) -> None:
    files = {**WORKSPACE, name: text}
    docs = package(files, "apps/docs/package.json")
    assert docs.lockfile is not None and docs.lockfile[0] == name
    assert docs.version("next") == "14.2.1"
    for outside in ("apps/old/package.json", "tools/x/package.json"):
        assert package(files, outside).lockfile is None
        assert package(files, outside).version("next") is None


def test_pnpm_workspaces_and_catalogs() -> None:
    files = {
        "package.json": {"name": "root", "packageManager": "pnpm@10.1.0"},
        "pnpm-workspace.yaml": "packages:\n  - 'apps/**'\ncatalog:\n  next: ^15.1.0\ncatalogs:\n  old:\n    next: 13.5.1\n",
        "pnpm-lock.yaml": "",
        "yarn.lock": "",
        "apps/a/web/package.json": {"name": "a", "dependencies": {"next": "catalog:"}},
        "apps/b/package.json": {"name": "b", "dependencies": {"next": "catalog:old"}},
        "apps/c/package.json": {"name": "c", "dependencies": {"next": "catalog:none"}},
    }
    assert package(files).workspaces == ["apps/**"]
    first = package(files, "apps/a/web/package.json")
    assert (first.lockfile, first.range("next"), first.floor("next")) == (
        ("pnpm-lock.yaml", "pnpm"),
        "^15.1.0",
        (15, 1, 0),
    )
    assert package(files, "apps/b/package.json").version("next") == "13.5.1"
    assert package(files, "apps/c/package.json").range("next") is None


def test_an_unreadable_top_may_hold_the_workspace() -> None:
    files = {"package.json": "", "pnpm-lock.yaml": "", "apps/a/package.json": {"name": "a"}}
    assert package(files, "apps/a/package.json").lockfile == ("pnpm-lock.yaml", "pnpm")


def test_aliases() -> None:
    app = package(
        {"package.json": {"name": "a", "dependencies": {"next": "npm:next@15.1.0", "react": "npm:preact@10.1.0"}}}
    )
    assert (app.version("next"), app.floor("next")) == ("15.1.0", (15, 1, 0))
    assert (app.version("react"), app.floor("react")) == (None, None)


def test_the_nearest_package() -> None:
    tree = Tree({
        "package.json": {"name": "root"},
        "apps/web/package.json": {"name": "web"},
        "apps/web/src/package.json": {"type": "module"},
        "apps/hidden/package.json": "",
    })  # fmt: skip

    def path(file: str) -> str | None:
        found = nearest(tree, file)
        return found.path if found is not None else None

    assert path("Dockerfile") == "package.json"
    assert path("apps/web/next.config.js") == "apps/web/package.json"
    assert path("apps/web/src/a/b.ts") == "apps/web/package.json"
    assert path("apps/hidden/Dockerfile") == "apps/hidden/package.json"
    assert path("apps/other/Dockerfile") == "package.json"
    assert nearest(Tree({"a/package.json": {"name": "a"}}), "b/Dockerfile") is None


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "pnpm-workspace.yaml"]), st.text()
)
def test_any_lockfile_is_survived(name: str, text: str) -> None:
    app = package({"package.json": APP, name: text, "a/package.json": APP})
    app.version("next")
    package({"package.json": APP, name: text, "a/package.json": APP}, "a/package.json").version("next")
