"""Compose: interpolation, merging, what a service is, what a file says about its environment, what is masked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.checks import compose_images
from elo_gate.kinds import compose
from elo_gate.kinds import compose_interpolate as interpolation
from elo_gate.kinds.compose_model import resolve
from elo_gate.kinds.compose_secrets import kind_of
from elo_gate.model import MAP, UNKNOWN, Artifact, Item, Node, Source


class Tree:
    """A project of texts in memory; names in `hidden` are ignored by git."""

    def __init__(self, files: dict[str, str], hidden: tuple[str, ...] = ()) -> None:
        self.files = files
        self.hidden = hidden

    def exists(self, path: str) -> bool:
        return path in self.files or any(each.startswith(path + "/") for each in self.files)

    def names(self, folder: str) -> list[str]:
        start = folder + "/" if folder else ""
        found = {each[len(start) :] for each in self.files if each.startswith(start)}
        return sorted({each.partition("/")[0] + ("/" if "/" in each else "") for each in found})

    def read(self, path: str) -> Source | None:
        assert ".." not in path.split("/"), "a path outside of the root"
        return Source(path, self.files[path]) if path in self.files else None

    def ignored(self, path: str) -> bool:
        return path in self.hidden

    def artifact(self, path: str) -> Artifact | None:
        return None


def artifact(files: str | dict[str, str], path: str = "compose.yaml", hidden: tuple[str, ...] = ()) -> Artifact:
    tree = Tree({path: files} if isinstance(files, str) else files, hidden)
    found = Artifact(Source(path, tree.files[path]), "compose")
    found.project = tree
    compose.load(found)
    return found


def services(files: str | dict[str, str], path: str = "compose.yaml", hidden: tuple[str, ...] = ()) -> dict[str, Item]:
    return {each.facts["name"]: each for each in compose.VIEWS["services"](artifact(files, path, hidden))}


def plain(node: Node) -> object:
    """A tree as plain data, scalars as text."""
    if node.kind is MAP:
        return {key.value: plain(value) for key, value in node.items()}
    if node.kind == "seq":
        return [plain(each) for each in node.value]
    return None if node.is_null() else node.value


def written(node: Node) -> str:
    return node.source.text[node.start : node.end]


# -- interpolation


@pytest.mark.parametrize(
    ("text", "names", "default"),
    [
        ("$HOME/x", ["HOME"], "/x"),
        ("${A}", ["A"], ""),
        ("${A:-d}", ["A"], "d"),
        ("${A-d}", ["A"], "d"),
        ("${A:-${B:-c}}", ["A", "B"], "c"),
        ("a-${A?x}-${B:?y}", ["A", "B"], "a--"),
        ("${A:+set}", ["A"], ""),
        ("$$A $${B}", [], "$A ${B}"),
        ("${A:-{}}", ["A"], "{}"),
        ("10$", [], "10$"),
    ],
)
def test_a_text_expands_to_its_defaults(text: str, names: list[str], default: str) -> None:
    assert interpolation.names(text) == names
    assert interpolation.expand(text) == default


def test_values_win_over_defaults() -> None:
    values = {"A": "1", "E": ""}
    expand = interpolation.expand
    assert [expand(each, values) for each in ("${A:-d}", "${E:-d}", "${E-d}", "${A:+x}", "${E:+x}", "${E+x}")] == [
        "1", "d", "", "x", "", "x",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["$(date)", "${A:-$(date)}", "costs $5", "${A/b/c}", "${A", "end$", "${1}", "${A:=b}"])
def test_compose_refuses(text: str) -> None:
    assert len(interpolation.refused(text)) == 1


@pytest.mark.parametrize("text", ["$$(date)", "${A:-$$(date)}", "${A:?say $$5}", "$_x", "${A:-}", ""])
def test_compose_accepts(text: str) -> None:
    assert interpolation.refused(text) == []


def test_separators_inside_references_do_not_split() -> None:
    assert interpolation.split("${A:-127.0.0.1}:${B:-80}:80", ":") == ["${A:-127.0.0.1}", "${B:-80}", "80"]
    assert interpolation.split("[::1]:80:80", ":") == ["[::1]", "80", "80"]


@given(st.text(alphabet="${}:-?+aB1 ", max_size=60))
def test_any_text_is_read(text: str) -> None:
    references, refused = interpolation.scan(text)
    for each in references:
        assert text[each.start] == "$"
        assert text[each.start : each.end].startswith(("$" + each.name, "${" + each.name))
    assert all(text[at] == "$" for at in refused)
    assert all(text[at] == "$" for at in interpolation.refused(text))
    interpolation.expand(text)
    assert ":".join(interpolation.split(text, ":")) == text


def test_deep_and_broken_nesting_ends() -> None:
    interpolation.expand("${A:-" * 5000 + "}" * 5000)
    interpolation.refused("${" * 20000 + "}")


# -- merging


BASE = """
services:
  web:
    image: acme/web:1
    command: [serve]
    environment:
      - MODE=base
      - KEEP=yes
    ports: ["80:80"]
    volumes: ["data:/data", "./a:/etc/a"]
    dns: [1.1.1.1]
    healthcheck: {test: [CMD, a], interval: 5s}
    depends_on: [db]
    logging: {driver: json-file, options: {max-size: 1m}}
  db:
    image: postgres:17.2
volumes: {data: {}}
"""


def merged(over: str) -> dict[str, object]:
    tree = artifact({"compose.yaml": BASE, "compose.prod.yaml": over}, "compose.prod.yaml")
    web = plain(compose.model_of(tree).root.get("services", "web"))
    assert isinstance(web, dict)
    return web


def test_maps_merge_and_commands_are_replaced() -> None:
    web = merged("services: {web: {command: [run], environment: {MODE: prod}, healthcheck: {test: [CMD, b]}}}")
    assert web["command"] == ["run"]
    assert web["environment"] == {"MODE": "prod", "KEEP": "yes"}
    assert web["healthcheck"] == {"test": ["CMD", "b"], "interval": "5s"}
    assert web["image"] == "acme/web:1"


def test_lists_append_and_unique_ones_replace_by_key() -> None:
    web = merged("services: {web: {ports: ['80:80', '443:443'], volumes: ['new:/data'], dns: [8.8.8.8]}}")
    assert web["ports"] == ["80:80", "443:443"]
    assert web["volumes"] == ["new:/data", "./a:/etc/a"]
    assert web["dns"] == ["1.1.1.1", "8.8.8.8"]


def test_reset_removes_and_override_replaces() -> None:
    web = merged("services: {web: {ports: !reset [], volumes: !override ['x:/x'], environment: {KEEP: !reset null}}}")
    assert "ports" not in web
    assert web["volumes"] == ["x:/x"]
    assert web["environment"] == {"MODE": "base"}


def test_forms_of_one_attribute_meet() -> None:
    web = merged("services: {web: {depends_on: {db: {condition: service_healthy}}, labels: [a=1, b]}}")
    assert web["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert web["labels"] == {"a": "1", "b": None}


def test_logging_of_another_driver_replaces() -> None:
    assert merged("services: {web: {logging: {driver: local}}}")["logging"] == {"driver": "local"}


def test_a_null_leaves_a_list_in_place() -> None:
    assert merged("services: {web: {ports: null}}")["ports"] == ["80:80"]


def test_every_value_keeps_its_file() -> None:
    over = "services:\n  web:\n    environment:\n      MODE: prod\n"
    tree = artifact({"compose.yaml": BASE, "compose.prod.yaml": over}, "compose.prod.yaml")
    web = {each.facts["name"]: each for each in compose.VIEWS["services"](tree)}["web"]
    variables = web.facts["environment"]
    assert variables["MODE"].node.source.path == "compose.prod.yaml"
    assert variables["KEEP"].node.source.path == "compose.yaml"
    assert written(variables["KEEP"].place) == "KEEP"
    assert written(variables["KEEP"].node) == "yes"
    assert web.place.source.path == "compose.prod.yaml"
    assert compose.parts(tree) == ["compose.yaml"]


def test_a_file_whose_services_are_whole_stands_alone() -> None:
    files = {"compose.yaml": BASE, "compose.prod.yaml": "services: {api: {image: acme/api:1}}"}
    tree = artifact(files, "compose.prod.yaml")
    assert compose.base_of(tree) is None
    assert [each.facts["name"] for each in compose.VIEWS["services"](tree)] == ["api"]


def test_a_fragment_without_its_base_is_open() -> None:
    web = services({"prod/compose.prod.yaml": "services: {web: {restart: always}}"}, "prod/compose.prod.yaml")["web"]
    assert web.facts["open"]


def test_extends_of_this_and_of_another_file() -> None:
    files = {
        "app/compose.yaml": "services:\n  a: {extends: b, environment: {X: '1'}}\n"
        "  b: {extends: {file: ../common.yaml, service: base}, restart: always}\n",
        "common.yaml": "services: {base: {image: acme/base:1, environment: [Y=2], build: ./src}}",
    }
    found = services(files, "app/compose.yaml")
    assert found["a"].facts["restart"] == "always"
    assert sorted(found["a"].facts["environment"]) == ["X", "Y"]
    assert found["a"].facts["image"].facts["text"] == "acme/base:1"
    assert found["a"].facts["open"] is None


@pytest.mark.parametrize(
    "extends",
    ["missing", "{service: x}", "{file: ../../etc/compose.yaml, service: x}", "{file: gone.yaml, service: x}",
     "{file: hidden.yaml, service: x}", "{file: '${F}', service: x}", "{file: /etc/compose.yaml, service: x}", "[]"],
)  # fmt: skip
def test_what_cannot_be_extended_leaves_the_service_open(extends: str) -> None:
    files = {"compose.yaml": f"services: {{a: {{extends: {extends}}}}}", "hidden.yaml": "services: {x: {image: y}}"}
    found = services(files, hidden=("hidden.yaml",))
    assert found["a"].facts["open"]


def test_circles_end() -> None:
    found = services("services: {a: {extends: b}, b: {extends: a}, c: {extends: c}}")
    assert all(each.facts["open"] for each in found.values())
    files = {
        "compose.yaml": "include: [other.yaml]",
        "other.yaml": "include: [compose.yaml]\nservices: {a: {image: b}}",
    }
    assert list(services(files)) == ["a"]


def test_include_adds_what_is_missing() -> None:
    files = {
        "compose.yaml": "include:\n  - path: [sub/one.yaml, sub/two.yaml]\nservices: {web: {image: acme/web:1}}",
        "sub/one.yaml": "services: {db: {image: 'postgres:17.2', volumes: ['./x:/x']}, web: {image: other}}",
        "sub/two.yaml": "services: {db: {restart: always}}\nvolumes: {data: {}}",
    }
    tree = artifact(files)
    found = {each.facts["name"]: each for each in compose.VIEWS["services"](tree)}
    assert found["web"].facts["image"].facts["text"] == "acme/web:1"
    assert found["db"].facts["restart"] == "always"
    assert [each.facts["name"] for each in compose.VIEWS["volumes"](tree)] == ["data"]
    assert compose.parts(tree) == ["sub/one.yaml", "sub/two.yaml"]
    assert compose.model_of(tree).folder(found["db"].facts["volumes"][0].node) == "sub"


def test_an_include_that_cannot_be_read_opens_the_model() -> None:
    assert compose.VIEWS["file"](artifact("include: [oci://x/y]\nservices: {a: {image: b}}"))[0].facts["open"]


def test_several_documents_merge_in_order() -> None:
    found = services("services: {a: {image: x, restart: 'no'}}\n---\nservices: {a: {restart: always}}\n")
    assert found["a"].facts["restart"] == "always"


def test_anchors_and_merge_keys() -> None:
    text = "x-base: &base\n  restart: always\n  environment: &env {A: '1'}\nservices:\n  a:\n    <<: *base\n" \
        "    image: x\n    environment: {<<: *env, B: $B}\n"  # fmt: skip
    found = services(text)["a"]
    assert found.facts["restart"] == "always"
    assert {name: each.facts["style"] for name, each in found.facts["environment"].items()} == {
        "A": "literal", "B": "plain",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "path", "found"),
    [("", "a", "a"), ("a/b", "../c/./d/", "a/c/d"), ("a", "../..", None), ("a", "/etc", None), ("a", "~/x", None),
     ("", "https://x/y", None), ("a", ".", "a")],
)  # fmt: skip
def test_paths_never_leave_the_root(folder: str, path: str, found: str | None) -> None:
    assert resolve(folder, path) == found


# -- services


def test_images() -> None:
    found = services(
        "services:\n  a: {image: 'ghcr.io/acme/web:1.2@sha256:ab'}\n  b: {image: postgres}\n"
        "  c: {image: 'localhost:5000/x/y'}\n  d: {image: 'acme/hub${REF:-:latest}'}\n  e: {image: '${IMAGE}'}\n"
        "  f: {image: 'redis:${TAG:-7}-alpine'}\n"
    )
    facts = {name: each.facts["image"].facts for name, each in found.items()}
    parts = ("registry", "repository", "tag", "digest")
    assert [facts["a"][each] for each in parts] == ["ghcr.io", "acme/web", "1.2", "sha256:ab"]
    assert [facts["b"][each] for each in parts] == ["docker.io", "postgres", None, None]
    assert [facts["c"][each] for each in parts] == ["localhost:5000", "x/y", None, None]
    assert facts["d"]["tag"].kind is UNKNOWN and facts["d"]["repository"] == "acme/hub"
    assert facts["e"]["tag"].kind is UNKNOWN
    assert facts["f"]["tag"].kind is UNKNOWN and facts["f"]["tag"].value == "7-alpine"
    assert found["f"].facts["role"] == "cache"


@pytest.mark.parametrize(
    ("port", "reach", "published", "target"),
    [
        ("'80'", "all", None, "80"),
        ("8080:80", "all", "8080", "80"),
        ("'127.0.0.1:8080:80'", "loopback", "8080", "80"),
        ("'[::1]:8080:80'", "loopback", "8080", "80"),
        ("'[::]:8080:80'", "all", "8080", "80"),
        ("'10.0.0.5:8080:80/udp'", "host", "8080", "80"),
        ("'${PORT:-8080}:80'", "all", "8080", "80"),
        ("'${WEB_PORT}:80'", "all", None, "80"),
        ("'${BIND}:80'", "unknown", None, "80"),
        ("'${IP:-127.0.0.1}:8080:80'", "unknown", "8080", "80"),
        ("{target: 80, published: '8080', host_ip: 127.0.0.1}", "loopback", "8080", "80"),
        ("{target: 80}", "all", None, "80"),
    ],
)
def test_ports(port: str, reach: str, published: str | None, target: str) -> None:
    facts = services(f"services: {{a: {{image: x, ports: [{port}]}}}}")["a"].facts["ports"][0].facts
    assert (facts["reach"], facts["published"], facts["target"]) == (reach, published, target)


@pytest.mark.parametrize(
    ("volume", "kind", "source", "target", "read_only"),
    [
        ("data:/x", "volume", "data", "/x", False),
        ("./a:/x:ro,z", "bind", "./a", "/x", True),
        ("/x", "anonymous", None, "/x", False),
        ("~/a:/x", "bind", "~/a", "/x", False),
        ("'C:\\a:/x'", "bind", "C:\\a", "/x", False),
        ("'${D:-./d}:/x'", "bind", "./d", "/x", False),
        ("'${D}:/x'", "unknown", None, "/x", False),
        ("{type: bind, source: ., target: /x, read_only: true}", "bind", ".", "/x", True),
        ("{type: volume, target: /x}", "anonymous", None, "/x", False),
        ("{type: tmpfs, target: /x}", "tmpfs", None, "/x", False),
    ],
)
def test_volumes(volume: str, kind: str, source: str | None, target: str, read_only: bool) -> None:
    facts = services(f"services:\n  a:\n    image: x\n    volumes:\n      - {volume}\n")["a"].facts["volumes"][0].facts
    assert (facts["type"], facts["source"], facts["target"], facts["read_only"]) == (kind, source, target, read_only)


def test_environment_styles_and_spans() -> None:
    text = (
        "services:\n  a:\n    image: x\n    environment:\n      - ONE=1\n      - 'TWO=${B:?}'\n      - THREE\n"
        '      - "FOUR=${C:-c}"\n      - FIVE=$D\n      - SIX=${A}${D:-x}\n      - SEVEN=a=b\n'
    )
    found = services({"compose.yaml": text, ".env": "D=from-env\n"})["a"].facts["environment"]
    assert {name: each.facts["style"] for name, each in found.items()} == {
        "ONE": "literal", "TWO": "required", "THREE": "inherited", "FOUR": "default", "FIVE": "provided", "SIX": "plain",
        "SEVEN": "literal",
    }  # fmt: skip
    assert found["FIVE"].facts["default"] == "from-env"
    assert found["SEVEN"].facts["value"] == "a=b"
    for name, each in found.items():
        assert written(each.place) == name
    assert [written(found[name].node) for name in ("ONE", "TWO", "FOUR", "SEVEN")] == ["1", "${B:?}", "${C:-c}", "a=b"]


def test_an_ignored_env_file_says_nothing() -> None:
    files = {"compose.yaml": "services: {a: {image: x, environment: ['A=$D'], env_file: .env}}", ".env": "D=1\nE=2\n"}
    found = services(files, hidden=(".env",))["a"].facts
    assert found["environment"]["A"].facts["style"] == "plain"
    assert found["environment_open"] and "E" not in found["environment"]


def test_env_files_are_read_below_environment() -> None:
    files = {
        "compose.yaml": "services: {a: {image: x, environment: {A: own}, "
        "env_file: [one.env, {path: two.env, required: false}]}}",
        "one.env": "A=1\nB=1\n",
        "two.env": "B=2\nC='3'\n",
    }
    found = services(files)["a"].facts
    values = {name: each.facts["value"] for name, each in found["environment"].items()}
    assert values == {"A": "own", "B": "2", "C": "3"}
    assert not found["environment_open"]


def test_roles() -> None:
    found = services(
        "services:\n"
        "  web: {build: ., depends_on: {seed: {condition: service_completed_successfully}}}\n"
        "  seed: {image: acme/web:1}\n"
        "  migrate: {image: acme/web:1, command: npx prisma migrate deploy}\n"
        "  api: {image: acme/api:1, command: sh -c 'prisma migrate deploy && node server.js'}\n"
        "  once: {image: acme/web:1, restart: 'no'}\n"
        "  db: {image: bitnami/postgresql:17}\n"
        "  search: {image: getmeili/meilisearch:v1}\n"
        "  cache: {image: valkey/valkey:8}\n"
        "  proxy: {image: 'nginxinc/nginx-unprivileged:1.30'}\n"
        "  mail: {image: axllent/mailpit:v1}\n"
        "  nginx: {build: ./nginx}\n"
    )
    assert {name: each.facts["role"] for name, each in found.items()} == {
        "web": "app", "seed": "job", "migrate": "job", "api": "app", "once": "job", "db": "database",
        "search": "database", "cache": "cache", "proxy": "proxy", "mail": "mail", "nginx": "proxy",
    }  # fmt: skip


def test_allowed_images_may_float() -> None:
    found = artifact("services: {a: {image: 'ghcr.io/acme/web:latest'}, b: {image: nginx}}")
    (item,) = compose.VIEWS["file"](found)
    faults = list(compose_images.floating(item, found, {"allow": ["ghcr.io/acme/*"], "major": True}))
    assert [each.values["image"] for each in faults] == ["nginx"]


def test_services_behind_a_development_profile_are_left_out() -> None:
    found = services("services: {a: {image: x}, b: {image: y, profiles: [debug]}, c: {image: z, profiles: [gpu]}}")
    assert sorted(found) == ["a", "c"]


# -- environment


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services: {a: {build: ., environment: {NODE_ENV: development}}}", "development"),
        ("services: {a: {build: ., environment: [NODE_ENV=production]}}", "production"),
        ("services: {a: {build: ., environment: ['NODE_ENV=${NODE_ENV:-development}']}}", None),
        ("services: {a: {build: {context: ., target: dev}}}", "development"),
        ("services: {a: {image: 'node:24', command: npm run dev, restart: always}}", "development"),
        ("services: {a: {build: ., volumes: ['.:/app']}}", "development"),
        ("services: {a: {build: ., volumes: ['./uploads:/app/uploads']}}", None),
        ("services: {db: {image: 'postgres:17'}, cache: {image: redis}}", "development"),
        ("services: {metrics: {image: prom/prometheus}, db: {image: 'postgres:17'}}", None),
        ("services: {a: {image: x}, mail: {image: mailhog/mailhog}}", "development"),
        ("services: {a: {image: x, restart: always}, mail: {image: mailhog/mailhog}}", None),
        ("services: {a: {image: x, environment: {APP_URL: 'http://localhost:3000'}}}", "development"),
        ("services: {a: {image: x, restart: always}}", None),
        ("services: {a: {build: ., environment: {NODE_ENV: production}}, b: {image: y, command: npm run dev}}", None),
        ("{}", None),
    ],
)
def test_signs(text: str, says: str | None) -> None:
    found = compose.signs(artifact(text))
    assert (found[0] if found is not None else None) == says


# -- masking


def test_what_is_masked() -> None:
    text = (
        "x-env: &env\n  JWT_SECRET: one-1\nservices:\n  a:\n    image: x\n"
        "    command: redis-server --requirepass two-2\n    environment:\n"
        "      <<: *env\n      DB_PASSWORD: '${DB_PASSWORD:-three-3}'\n      URL: postgres://u:four-4@db/x\n"
        "      SAFE: ${SAFE_TOKEN:?say so}\n      API_KEY: ${API_KEY:?five-5}\n      PASSWORD_RESET_DISABLED: 1\n"
        '  b:\n    image: x\n    environment:\n      - "API_TOKEN=six-6"\n      - SECRET_KEY_FILE=/run/secrets/x\n'
    )
    found = artifact(text)
    assert [text[start:end] for start, end in compose.secrets(found)] == [
        "one-1",
        "two-2",
        "three-3",
        "four-4",
        "six-6",
    ]


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "JWT_SECRET", "API_KEY", "AUTH_TOKEN", "SECRET_KEY_BASE", "PGPASSWORD"]
)
def test_names_of_credentials(name: str) -> None:
    assert kind_of(name)


@pytest.mark.parametrize(
    "name",
    ["PASSWORD_RESET_DISABLED", "SECRET_MANAGER_TYPE", "SECRETKEY_PATH", "TOKEN_EXPIRY", "NEXT_PUBLIC_API_KEY",
     "DB_PASSWORD_FILE", "BYPASS", "MONKEY", "STRIPE_PUBLISHABLE_KEY", "POSTHOG_API_KEY", "KEY_ID"],
)  # fmt: skip
def test_names_that_only_sound_like_one(name: str) -> None:
    assert kind_of(name) is None


# -- anything at all


_KEYS = st.sampled_from(
    "services web db image build ports volumes environment depends_on command extends include env_file healthcheck test "
    "deploy networks logging restart user profiles secrets source target".split()
)
_SCALARS = st.none() | st.booleans() | st.integers(0, 99) | st.text(alphabet="ab:$/{}-.= ", max_size=12)


def _above(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return inner | st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5)


_ATTRIBUTES = st.dictionaries(_KEYS, _above(_above(_SCALARS)), max_size=6)
_FILES = st.fixed_dictionaries(
    {"services": st.dictionaries(_KEYS, _ATTRIBUTES | _SCALARS, max_size=3) | _above(_SCALARS)},
    optional={"include": _above(_above(_SCALARS)), "volumes": _above(_SCALARS), "networks": _above(_SCALARS)},
)


@settings(max_examples=200, deadline=None)
@given(_FILES | _above(_SCALARS))
def test_any_tree_is_read(tree: object) -> None:
    text = json.dumps(tree)
    for files in ({"compose.yaml": text}, {"compose.yaml": text, "compose.prod.yaml": text}):
        for path in files:
            found = artifact(files, path)
            compose.signs(found)
            compose.secrets(found)
            for view in compose.VIEWS.values():
                for item in view(found):
                    assert 0 <= item.place.start <= item.place.end <= len(item.place.source.text)


@given(st.text(max_size=80))
def test_any_text_is_read_as_a_file(text: str) -> None:
    found = artifact(text)
    for view in compose.VIEWS.values():
        view(found)
    compose.signs(found)
    compose.secrets(found)


# -- the program itself


def _compose() -> list[str] | None:
    for words in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(words[0])
            and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0
        ):
            return words
    return None


@pytest.mark.skipif(_compose() is None, reason="Docker Compose is not installed")
def test_compose_merges_alike(tmp_path: object) -> None:
    over = "services: {web: {ports: ['443:443'], volumes: ['new:/data'], environment: {MODE: prod}, command: [run]}}\n" \
        "volumes: {new: {}}"  # fmt: skip
    for name, text in (("compose.yaml", BASE), ("compose.prod.yaml", over)):
        with open(os.path.join(str(tmp_path), name), "w", encoding="utf-8") as file:
            file.write(text)
    words = _compose() or []
    output = subprocess.run(
        [*words, "-f", "compose.yaml", "-f", "compose.prod.yaml", "config", "--format", "json"],
        cwd=str(tmp_path), capture_output=True, check=True,
    ).stdout  # fmt: skip
    theirs = json.loads(output)["services"]["web"]
    ours = {each.facts["name"]: each for each in compose.VIEWS["services"](
        artifact({"compose.yaml": BASE, "compose.prod.yaml": over}, "compose.prod.yaml")
    )}["web"].facts  # fmt: skip
    assert {name: each.facts["value"] for name, each in ours["environment"].items()} == theirs["environment"]
    assert {each.facts["target"] for each in ours["volumes"]} == {each["target"] for each in theirs["volumes"]}
    assert {each.facts["published"] for each in ours["ports"]} == {each["published"] for each in theirs["ports"]}
    assert ours["command"].split() == theirs["command"]


def test_the_guide(guide: object) -> None:
    path = "docker-compose.production.yml"
    with open(os.path.join(str(guide), path), encoding="utf-8") as file:
        found = services(file.read(), path)
    assert {name: each.facts["role"] for name, each in found.items()} == {
        "app": "app", "db": "database", "redis": "cache", "nginx": "proxy",
    }  # fmt: skip
