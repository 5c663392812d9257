"""Dockerfiles: what stages inherit and set, what is released, images, commands, build contexts, what is masked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.examples import AS_OF, MemoryIgnores, MemoryTree
from elo_gate.kinds import dockerfile, packages
from elo_gate.kinds.dockerfile_images import read as read_image
from elo_gate.kinds.dockerfile_images import runs_as_root
from elo_gate.model import SCALAR, UNKNOWN, Artifact, Item, Node, Source
from elo_gate.project import Project
from elo_gate.syntax import command as shell


def artifact(text: str | dict[str, str], path: str = "Dockerfile") -> Artifact:
    files = {path: text} if isinstance(text, str) else text
    project = Project(MemoryTree(files), AS_OF, lambda name: {}, ignores=MemoryIgnores(files))
    project.look()
    found = project.artifact(path)
    assert found is not None
    return found


def final(text: str | dict[str, str]) -> dict[str, Any]:
    """The facts of the released stage."""
    (stage,) = dockerfile.final_stage(artifact(text))
    return stage.facts


def value(item: Item) -> str | None:
    """The value of an ARG or ENV, "?" when it is unknown."""
    node = item.facts["value"]
    return None if node is None else "?" if node.kind is UNKNOWN else node.value


def settings_of(text: str) -> dict[str, str | None]:
    return {name: value(item) for name, item in final(text)["env"].items()}


# Variables.


def test_an_argument_before_the_first_from_is_seen_by_from_alone() -> None:
    facts = final("ARG TAG=24\nFROM node:$TAG\nENV A=x$TAG\n")
    assert facts["image"].facts["tag"] == "24"
    assert value(facts["env"]["A"]) == "?"


def test_a_stage_declares_it_again_and_takes_its_default() -> None:
    assert settings_of("ARG TAG=24\nFROM node\nARG TAG\nENV A=x$TAG\n") == {"A": "x24"}
    assert settings_of("ARG TAG=24\nFROM node\nARG TAG=1\nENV A=x$TAG\n") == {"A": "x1"}
    assert settings_of("FROM node\nARG TAG\nENV A=x$TAG\n") == {"A": "?"}
    assert settings_of("FROM node\nARG TAG\nENV A=x${TAG:-d}\n") == {"A": "?"}


def test_env_overrules_arg_and_one_env_sees_what_was_before_it() -> None:
    assert settings_of("FROM node\nENV A=1\nARG A=2\nENV A=3 B=$A\n") == {"A": "3", "B": "1"}


def test_stages_inherit_from_stages_and_not_from_copies() -> None:
    text = "FROM node AS a\nENV A=1\nARG B=2\nUSER 7\nWORKDIR /x\nFROM a AS b\nENV C=$A$B\nWORKDIR y\nFROM node\nCOPY --from=b / /\nENV D=$A\n"
    found = artifact(text)
    stages = {stage.facts["title"]: stage.facts for stage in dockerfile.stages(found)}
    assert {name: value(item) for name, item in stages["b"]["env"].items()} == {"A": "1", "C": "12"}
    assert stages["b"]["workdir"] == "/x/y"
    assert stages["b"]["user"].facts["name"] == "7"
    assert {name: value(item) for name, item in stages["#3"]["env"].items()} == {"D": "?"}
    assert stages["#3"]["user"] is None


def test_scratch_has_no_variables_of_its_own() -> None:
    assert settings_of("FROM scratch\nENV A=x$NOTHING\n") == {"A": "x"}


def test_platform_arguments_are_unknown() -> None:
    assert settings_of("FROM scratch\nARG TARGETARCH\nENV A=$TARGETARCH\n") == {"A": "?"}


def test_values_that_double_from_line_to_line_become_unknown() -> None:
    lines = ["FROM scratch", "ENV A0=xxxxxxxxxxxxxxxx", *(f"ENV A{n}=$A{n - 1}$A{n - 1}" for n in range(1, 60))]
    assert settings_of("\n".join(lines))["A59"] == "?"


# Stages.


@pytest.mark.parametrize(
    ("text", "name", "root", "numeric"),
    [
        ("USER node", "node", False, False),
        ("USER 1001:1001", "1001", False, True),
        ("USER root:staff", "root", True, False),
        ("USER 0", "0", True, True),
        ('ARG U=1001\nUSER "$U"', "1001", False, True),
    ],
)
def test_users(text: str, name: str, root: bool, numeric: bool) -> None:
    user = final(f"FROM node\n{text}\n")["user"].facts
    assert (user["name"], user["root"], user["numeric"]) == (name, root, numeric)


def test_a_user_from_an_unset_argument_is_unknown() -> None:
    assert final("FROM node\nARG U\nUSER $U\n")["user"].facts["root"].kind is UNKNOWN


def test_a_new_entrypoint_drops_an_inherited_command() -> None:
    assert final('FROM node AS a\nCMD ["a"]\nFROM a\nENTRYPOINT ["b"]\n')["cmd"] is None
    assert final('FROM node\nCMD ["a"]\nENTRYPOINT ["b"]\n')["cmd"] is not None


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("FROM a AS one\nFROM b AS two\n", "two"),
        ("FROM a AS prod\nFROM b AS test\n", "prod"),
        ("FROM a AS base\nFROM base AS runner\nFROM runner AS dev\n", "runner"),
        ("FROM a AS devtools\nFROM b AS devtools2\n", "devtools2"),
        ("FROM a AS dev\n", "dev"),
    ],
)
def test_what_is_released(text: str, title: str) -> None:
    assert final(text)["title"] == title


def test_compose_names_what_is_released() -> None:
    files = {
        "Dockerfile": "FROM a AS web\nFROM b AS worker\n",
        "compose.yaml": "services:\n  web:\n    build: {context: ., target: web}\n",
    }
    assert final(files)["title"] == "web"


def test_stages_that_only_tests_need_are_left_out() -> None:
    found = artifact("FROM a AS base\nFROM x AS fake\nFROM base AS test\nCOPY --from=fake / /\nFROM base AS web\n")
    assert [stage.facts["title"] for stage in dockerfile.stages(found)] == ["base", "web"]
    assert [image.facts["text"] for image in dockerfile.images(found)] == ["a"]


def test_copies_name_stages_by_name_and_number_and_images() -> None:
    copies = final(
        "FROM a AS one\nFROM b\nCOPY --from=ONE /x /y\nCOPY --from=0 /x /y\nCOPY --from=nginx /x /y\nCOPY --from=$Z /x /y\n"
    )["copies"]
    origins = [copy.facts["from"] for copy in copies]
    assert [origin.facts.get("title") for origin in origins[:2]] == ["one", "one"]
    assert origins[2].facts["name"] == "nginx"
    assert origins[3].kind is UNKNOWN


def test_a_stage_may_not_be_named_before_it_is_there() -> None:
    copies = final("FROM a\nCOPY --from=later /x /y\n")["copies"]
    assert copies[0].facts["from"].facts["name"] == "later"


# Images.


@pytest.mark.parametrize(
    ("text", "name", "tag", "digest"),
    [
        ("node", "node", None, None),
        ("node:24-alpine", "node", "24-alpine", None),
        ("docker.io/library/node:24", "node", "24", None),
        ("public.ecr.aws/docker/library/node:24", "node", "24", None),
        ("localhost:5000/acme/web", "localhost:5000/acme/web", None, None),
        ("ghcr.io/acme/web:1.2@sha256:ab", "ghcr.io/acme/web", "1.2", "sha256:ab"),
        ("acme/web@sha256:ab", "acme/web", None, "sha256:ab"),
        ("node:${TAG}-slim", "node", "?", None),
        ("${REGISTRY}/node:24", "?", "24", None),
        ("${IMAGE}", "?", "?", None),
        ("alpine:3@${DIGEST}", "alpine", "3", "?"),
    ],
)
def test_image_references(text: str, name: str, tag: str | None, digest: str | None) -> None:
    source = Source("Dockerfile", text)
    facts = read_image(Node(SCALAR, text, source, 0, len(text)), text).facts
    shown = [
        part.kind.replace("unknown", "?") if isinstance(part, Node) else part
        for part in map(facts.get, ("name", "tag", "digest"))
    ]
    assert shown == [name, tag, digest]


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("node:24", True),
        ("scratch", True),
        ("oven/bun:1.3", True),
        ("gcr.io/distroless/static", True),
        ("gcr.io/distroless/static:nonroot", False),
        ("nginxinc/nginx-unprivileged:1.30", False),
        ("cgr.dev/chainguard/node", False),
        ("mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled", False),
        ("mcr.microsoft.com/dotnet/aspnet:10.0", True),
        ("ghcr.io/acme/base:1", None),
    ],
)
def test_the_own_user_of_images(text: str, root: bool | None) -> None:
    source = Source("Dockerfile", text)
    assert runs_as_root(read_image(Node(SCALAR, text, source, 0, len(text)), text)) is root


# Commands.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npm ci && npm run build", [("", "npm ci"), ("&&", "npm run build")]),
        ("(cd a && x) || y; z", [("(", "cd a"), ("&&", "x"), ("||", "y"), (";", "z")]),
        ("curl -fsSL https://a.test | bash -", [("", "curl -fsSL https://a.test"), ("|", "bash -")]),
        ("if [ -f x ]; then npm ci; else exit 1; fi", [("", "[ -f x ]"), (";", "npm ci"), (";", "exit 1")]),
        ("A=1 B='2 3' node x > /dev/null 2>&1", [("", "node x")]),
        ("echo '#!/bin/sh\nrm x' # y", [("", "echo #!/bin/sh\nrm x")]),
        ('echo "a $(cat "b c") d" e', [("", 'echo a $(cat "b c") d e')]),
        ("set -e\n\n# comment\nnpm ci \\\n  --omit=dev\n", [("", "set -e"), ("\n", "npm ci --omit=dev")]),
        ("npm ci & wait", [("", "npm ci"), ("&", "wait")]),
        ("cat <<EOF", [("", "cat")]),
        ("", []),
    ],
)
def test_shell_commands(text: str, expected: list[tuple[str, str]]) -> None:
    found = shell.parse(text)
    assert [(each.joiner, " ".join(word.text for word in each.words)) for each in found] == expected
    for each in found:
        for word in each.words:
            assert word.text in ("", text[word.start : word.end]) or set("\\'\"") & set(text[word.start : word.end])


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab '\"\\$(){}`|&;<>#\n=", max_size=40))
def test_any_command_line_is_read(text: str) -> None:
    for each in shell.parse(text):
        for word in [*each.words, *each.assignments]:
            assert 0 <= word.start < word.end <= len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npm ci --only=production", {"installs": True, "locked": True, "production": True, "retired": 2}),
        ("npm install --omit dev", {"installs": True, "locked": False, "production": True, "retired": -1}),
        ("npm i -g pnpm@10", {"installs": False, "globally": True}),
        ("npm install express", {"installs": False, "packages": ["express"]}),
        ("yarn --frozen-lockfile --production=false", {"installs": True, "locked": True, "production": False}),
        ("yarn --version", {"installs": False}),
        ("pnpm -C server install --frozen-lockfile -P", {"installs": True, "production": True, "folder": "server"}),
        ("bun install -p", {"installs": True, "production": True}),
        ("corepack pnpm install", {"installs": True, "manager": "pnpm"}),
        ("npm run build", {"script": "build", "builds": True, "develops": False}),
        ("npm run test:build-docs", {"builds": False}),
        ("pnpm --filter web build", {"script": "build", "filtered": True, "builds": True}),
        ("yarn next build", {"tool": "next", "builds": True}),
        ("npx --yes vite build", {"tool": "vite", "builds": True}),
        ("pnpm exec next dev", {"tool": "next", "develops": True}),
        ("tini -- node --watch server.js", {"tool": "node", "develops": True}),
        ("su-exec app node server.js", {"tool": "node", "develops": False}),
        ("/read-secrets.sh pnpm build", {"script": "build", "builds": True}),
        ("npm start", {"script": "start", "develops": False}),
        ("echo npm ci", {"installs": False, "manager": ""}),
        ("env", {"tool": ""}),
    ],
)
def test_package_managers(text: str, expected: dict[str, Any]) -> None:
    call = packages.read(text.split())
    assert {name: getattr(call, name) for name in expected} == expected


def commands(text: str) -> list[dict[str, Any]]:
    return [command.facts for command in final(text)["runs"]]


def test_commands_know_their_folder() -> None:
    found = commands("FROM node\nWORKDIR /app\nRUN cd web && npm ci\nWORKDIR api\nRUN npm --prefix ../x ci\n")
    assert [facts["folder"] for facts in found] == ["/app/web", "/app/web", "/app/x"]


def test_node_env_leaves_development_dependencies_out() -> None:
    text = "FROM node\nRUN npm ci\nRUN NODE_ENV=production npm ci\nENV NODE_ENV=production\nRUN npm ci\nRUN npm ci --include=dev\n"
    assert [facts["production"] for facts in commands(text)] == [False, True, True, False]


def test_heredocs_are_scripts_for_shells_alone() -> None:
    text = "FROM node\nARG V=1\nRUN <<EOF\nnpm ci\nnpm i -g x@$V\nEOF\nRUN python3 <<EOF\nimport os\nEOF\nRUN bash <<'EOF'\nnpm run build $V\nEOF\n"
    found = artifact(text)
    words = [command.facts["text"] for command in final(text)["runs"]]
    assert words == ["npm ci", "npm i -g x@1", "python3", "bash", "npm run build $V"]
    for command in dockerfile.final_stage(found)[0].facts["runs"]:
        for node in command.facts["nodes"]:
            assert text[node.start : node.end].replace("$V", "1") == node.value.replace("$V", "1")


def test_words_slice_back_across_continuations() -> None:
    text = 'FROM node\nRUN npm \\\n  # why\n  ci --om\\\nit=dev && \\\n  echo "a b"\n'
    found = dockerfile.final_stage(artifact(text))[0].facts["runs"]
    assert [command.facts["words"] for command in found] == [["npm", "ci", "--omit=dev"], ["echo", "a b"]]
    nodes = [node for command in found for node in command.facts["nodes"]]
    assert [text[node.start : node.end] for node in nodes] == ["npm", "ci", "--om\\\nit=dev", "echo", '"a b"']


# The build context.


def context_of(files: dict[str, str], path: str = "Dockerfile") -> Any:
    return dockerfile.of(artifact(files, path))["context"]


def test_compose_names_the_context() -> None:
    files = {
        "docker/web.Dockerfile": "FROM node\nCOPY . .\n",
        "deploy/compose.yaml": "services:\n  web:\n    build: {context: .., dockerfile: docker/web.Dockerfile}\n",
    }
    context = context_of(files, "docker/web.Dockerfile")
    assert (context.folder, context.certain, len(context.services)) == ("", True, 1)


def test_the_context_is_where_the_sources_are() -> None:
    files = {
        "a/b/Dockerfile": "FROM node\nCOPY package.json ./\nCOPY a/src ./src\n",
        "package.json": "{}",
        "a/src/x.js": "",
    }
    context = context_of(files, "a/b/Dockerfile")
    assert (context.folder, context.certain) == ("", True)


def test_the_ignore_file_of_the_dockerfile_comes_first() -> None:
    files = {"Dockerfile": "FROM node\nCOPY . .\n", ".dockerignore": "a", "Dockerfile.dockerignore": "b"}
    context = context_of(files)
    assert (context.ignore_path, context.excluded("a"), context.excluded("b")) == (
        "Dockerfile.dockerignore",
        False,
        True,
    )


# Environment and secrets.


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("FROM node\nENV NODE_ENV production\n", "production"),
        ("FROM node AS production\n", "production"),
        ('FROM node\nCMD ["npm", "run", "dev"]\n', "development"),
        ("FROM node\nENTRYPOINT next dev -p 3000\n", "development"),
        ("FROM node\nENV NODE_ENV=production\nCMD npx nodemon server.js\n", "development"),
        ("FROM node\nCMD sleep infinity\n", "development"),
        ("FROM node\nENV NODE_ENV=test\n", "test"),
        ("FROM node\nCMD node devserver.js\n", None),
        ('FROM node AS dev\nCMD ["npm", "run", "dev"]\nFROM node\nCMD ["npm", "start"]\n', None),
        ("", None),
    ],
)
def test_signs(text: str, environment: str | None) -> None:
    found = Artifact(Source("Dockerfile", text), "dockerfile")
    dockerfile.load(found)
    signs = dockerfile.signs(found)
    assert (signs[0] if signs else None) == environment


def test_secrets_are_masked_by_name_and_by_position() -> None:
    text = (
        "FROM node\nARG NPM_TOKEN=abcdefgh\nENV A=1 DB_PASSWORD='x y'\nENV DATABASE_URL=postgresql://u:hunter22@db/x\n"
        "ENV SECRET_NAME=plain\nRUN echo //r.test/:_authToken=npm_1234567 > .npmrc && API_TOKEN=$NPM_TOKEN x --password=letmein1\n"
        "ONBUILD ENV JWT_SECRET=zzzzzz\n"
    )
    masked = [text[start:end] for start, end in dockerfile.secrets(artifact(text))]
    assert masked == [
        "abcdefgh", "'x y'", "postgresql://u:hunter22@db/x", "//r.test/:_authToken=npm_1234567", "--password=letmein1", "zzzzzz",
    ]  # fmt: skip


# Any text, any size.

LINES = st.sampled_from(
    ["FROM x", "FROM x AS b", "FROM b", "FROM ${A:-x}", "ARG A", "ARG A=1", "ENV A=$A B=${A:+y}", "ENV A b", "USER $A", "USER 1:2",
     "WORKDIR ../x", "COPY --from=b . /x", "COPY --from=0 a", "COPY . .", "RUN --mount=from=b,target=/x cd y && npm ci | sh",
     "RUN <<E", "npm run build", "E", "CMD", "CMD [\"sh\", \"-c\", \"exec npm start\"]", "ENTRYPOINT []", "EXPOSE $A/tcp 80 x",
     "HEALTHCHECK NONE", "HEALTHCHECK CMD x", "ONBUILD USER root", "COPY", "ENV", "USER", "WORKDIR", "EXPOSE", "RUN", "SHELL [\"a\"]",
     "ADD http://x/y /", "STOPSIGNAL $A", "LABEL a=b", "NOPE"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(LINES, max_size=14).map("\n".join), st.text(max_size=60)))
def test_every_view_of_any_text(text: str) -> None:
    found = artifact(text)
    dockerfile.signs(found)
    for start, end in dockerfile.secrets(found):
        assert 0 <= start < end <= len(text)
    for name, view in dockerfile.VIEWS.items():
        for item in view(found):
            for node in (item.node, item.place):
                assert 0 <= node.start <= node.end <= len(text), name


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"FROM s{n} AS s{n + 1}\nENV A{n}={n}\nCOPY --from=s{n} a b\nRUN npm ci\n" for n in range(3000)),
        "FROM a\nRUN " + "x && \\\n" * 20000 + "y\n",
        "FROM a\n" + "COPY x y\n" * 5000,
        "".join(f"ARG A{n}\n" for n in range(2000)) + "FROM a\n" + "".join(f"ARG A{n}\n" for n in range(2000)),
    ],
    ids=["stages", "continuations", "copies", "arguments"],
)
def test_large_files(text: str) -> None:
    found = artifact(text)
    for view in dockerfile.VIEWS.values():
        view(found)


def test_the_guide(guide: Path) -> None:
    path = "Dockerfile.production"
    found = artifact((guide / path).read_text(encoding="utf-8"), path)
    (stage,) = dockerfile.final_stage(found)
    facts = stage.facts
    assert (found.environment, found.assumed) == ("production", False)
    assert (facts["name"], facts["workdir"], facts["user"].facts["name"]) == ("runner", "/app", "nextjs")
    assert [port.facts["port"] for port in facts["ports"]] == [3000]
    assert facts["cmd"].facts["commands"][0].facts["words"] == ["node", "server.js"]
    assert facts["base"].facts["tag"] == "18-alpine"
    installs = [command for command in dockerfile.VIEWS["runs"](found) if command.facts["call"].installs]
    assert [(command.facts["text"], command.facts["production"]) for command in installs] == [
        ("npm ci --only=production", True)
    ]


# Names of programs.


@pytest.mark.parametrize(
    "path, text",
    [
        ("Dockerfile.go", "FORM golang:1.25\n"),  # the capital says enough: what is wrong in it is to be told
        ("build/Containerfile.py", '"""No Dockerfile."""\n'),
        ("dockerfile.go", "# syntax=docker/dockerfile:1\n\nARG TAG=1.25\nFROM golang:$TAG\n"),
        ("dockerfile.py", "from --platform=linux/amd64 python:3.13 as build\r\nRUN true\r\n"),
        ("dockerfile-old", "no such instruction\n"),
    ],
)
def test_a_dockerfile_called_like_a_program(path: str, text: str) -> None:
    assert artifact(text, path).kind == "dockerfile"


@pytest.mark.parametrize(
    "path, text",
    [
        ("src/dockerfile.py", "from os import path\n"),
        ("src/dockerfile_stages.py", '"""Turns FROM into stages.\n\nFROM node:24\n"""\nimport re\n'),
        ("lib/dockerfile.js", "// FROM node:24\nexport const from = 1;\n"),
        ("dockerfile.go", "package dockerfile\n"),
    ],
)
def test_a_program_called_like_a_dockerfile(path: str, text: str) -> None:
    project = Project(MemoryTree({path: text}), AS_OF, lambda name: {}, ignores=MemoryIgnores({path: text}))
    project.look()
    assert project.artifact(path) is None and path in project.aside
