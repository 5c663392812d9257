"""The environment matrix: what code reads, what env files say, what targets give, who needs what."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.discover import DiskTree
from elo_gate.examples import AS_OF, MemoryIgnores, MemoryTree
from elo_gate.project import Project, variables
from elo_gate.project.variables_read import APP, BUILD, OPTIONAL, PLAIN, REQUIRED, TOOL, place_of
from elo_gate.ruleset.load import load


def project(files: dict[str, str]) -> Project:
    made = Project(MemoryTree(files), AS_OF, load().table, ignores=MemoryIgnores(files))
    made.look()
    return made


def reads(code: str, path: str = "src/main.ts") -> list[tuple[str, str]]:
    matrix = variables.of(project({path: code}))
    return [(read.name, read.form) for each in matrix.applications.values() for read in each.reads]


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("const a = process.env.NAME!;", REQUIRED),
        ("const a = process.env.NAME as string;", REQUIRED),
        ('const a = process.env["NAME"]!;', REQUIRED),
        ("const a = process.env.NAME.split(',');", REQUIRED),
        ("if (!process.env.NAME) { throw new Error('NAME'); }", REQUIRED),
        ("if (!process.env.NAME) process.exit(1);", REQUIRED),
        ("const a = required('NAME', process.env.NAME);", REQUIRED),
        ("const a = new URL(process.env.NAME);", REQUIRED),
        ("const key = process.env.NAME;\nif (!key) throw new Error('NAME');", REQUIRED),
        ("const key = process.env.NAME\nif (!key || key === 'x') {\n  throw new Error('NAME')\n}", REQUIRED),
        ("const key = process.env.NAME;\nif (!key) return null;", OPTIONAL),
        ("const key = process.env.NAME;\nif (key) start(key);", OPTIONAL),
        ("const key = process.env.NAME;\nif (other) throw key;", PLAIN),
        ("if (!process.env.NAME && !other) throw new Error('one of them');", OPTIONAL),
        ("const a = process.env.NAME;", PLAIN),
        ("init({ dsn: process.env.NAME, debug: false });", PLAIN),
        ("const a = Number(process.env.NAME);", PLAIN),
        ("const a = `${process.env.NAME}/x`;", PLAIN),
        ("const a = import.meta.env.NAME;", PLAIN),
        ("const { NAME } = process.env;", PLAIN),
        ('const a = Deno.env.get("NAME");', PLAIN),
        ("const { NAME = 'x' } = process.env;", OPTIONAL),
        ("const a = process.env.NAME ?? 'x';", OPTIONAL),
        ("const a = process.env.NAME || 'x';", OPTIONAL),
        ("const a = process.env.NAME\n  ?? 'x';", OPTIONAL),
        ("const a = process.env.NAME?.length;", OPTIONAL),
        ("const a = process.env.NAME === 'true';", OPTIONAL),
        ("const a = process.env.NAME !== 'true';", OPTIONAL),
        ("const a = !!process.env.NAME;", OPTIONAL),
        ("const a = Boolean(process.env.NAME);", OPTIONAL),
        ("if (process.env.NAME) { start(); }", OPTIONAL),
        ("const a = process.env.NAME ? 1 : 2;", OPTIONAL),
        ("const a = on && process.env.NAME;", OPTIONAL),
    ],
)
def test_what_code_does_without_a_value(code: str, form: str) -> None:
    assert reads(code) == [("NAME", form)]


@pytest.mark.parametrize(
    "code",
    [
        "process.env.NAME = 'x';",
        "process.env.NAME ??= 'x';",
        "delete process.env.NAME;",
        "// process.env.NAME",
        "/* process.env.NAME */",
        "/**\n * process.env.NAME\n */",
        "const x = 1; // was process.env.NAME",
        "const x = 'NAME' in process.env;",
        "import.meta.env.DEV",
        "myprocess.env.NAME",
        "config.env.NAME",
    ],
)
def test_what_reads_nothing(code: str) -> None:
    assert reads(code) == []


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ('import os\na = os.environ["NAME"]', REQUIRED),
        ('from os import environ\na = environ["NAME"]', REQUIRED),
        ('a = os.environ.get("NAME")', PLAIN),
        ('a = os.getenv("NAME")', PLAIN),
        ('a = os.getenv("NAME", "x")', OPTIONAL),
        ('a = os.environ.get("NAME", "x")', OPTIONAL),
        ('a = os.getenv("NAME") or "x"', OPTIONAL),
        ('if os.environ.get("NAME"):\n    pass', OPTIONAL),
        ('if not os.environ.get("NAME"):\n    pass', OPTIONAL),
        ('key = os.getenv("NAME")\nif not key:\n    raise SystemExit(1)', REQUIRED),
    ],
)
def test_what_python_does_without_a_value(code: str, form: str) -> None:
    assert reads(code, "app/main.py") == [("NAME", form)]


def test_a_computed_name_leaves_the_list_open() -> None:
    matrix = variables.of(project({"src/main.ts": "const a = process.env[name];\nspawn('x', { env: process.env });"}))
    assert len(matrix.applications[""].open) == 2
    assert not matrix.applications[""].reads


def test_a_schema_decides_over_the_lines_that_feed_it() -> None:
    code = """
    import { createEnv } from "@t3-oss/env-nextjs";
    export const env = createEnv({
      server: {
        DATABASE_URL: z.string().url(),
        MAIL_HOST: z
          .string()
          .optional(),
        MODE: process.env.NODE_ENV === "production" ? z.string() : z.string().optional(),
        LEVEL: z.enum(["a", "b"]).default("a"),
        MODEL: unlessMocked,
      },
      runtimeEnv: {
        DATABASE_URL: process.env.DATABASE_URL,
        MAIL_HOST: process.env.MAIL_HOST,
        MODE: process.env.MODE,
        LEVEL: process.env.LEVEL,
        MODEL: process.env.MODEL,
      },
    });
    """
    found = dict(reads(code))
    assert found == {
        "DATABASE_URL": REQUIRED, "MAIL_HOST": OPTIONAL, "MODE": OPTIONAL, "LEVEL": OPTIONAL, "NODE_ENV": OPTIONAL,
        "MODEL": OPTIONAL,
    }  # fmt: skip


def test_a_schema_over_the_whole_environment() -> None:
    code = (
        "export const env = z.object({\n  TOKEN: z.string(),\n  LEVEL: z.string().optional(),\n}).parse(process.env);\n"
    )
    assert sorted(reads(code)) == [("LEVEL", OPTIONAL), ("TOKEN", REQUIRED)]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("src/main.ts", APP),
        ("next.config.mjs", BUILD),
        ("apps/web/vite.config.ts", BUILD),
        ("scripts/seed.ts", TOOL),
        ("drizzle.config.ts", TOOL),
        ("src/main.test.ts", ""),
        ("src/__tests__/x.ts", ""),
        ("e2e/login.ts", ""),
        ("tests/test_app.py", ""),
        ("src/latest/main.ts", APP),
    ],
)
def test_where_a_file_runs(path: str, where: str) -> None:
    assert place_of(path) == where


def test_names_belong_to_the_nearest_package() -> None:
    matrix = variables.of(
        project(
            {
                "package.json": '{"name": "acme", "workspaces": ["apps/*"]}',
                "apps/web/package.json": '{"name": "web"}',
                "apps/web/src/main.ts": "process.env.WEB!",
                "apps/api/requirements.txt": "",
                "apps/api/main.py": 'os.environ["API"]',
                "tools.ts": "process.env.ROOT!",
            }
        )
    )
    assert sorted(matrix.variables) == [("", "ROOT"), ("apps/api/", "API"), ("apps/web/", "WEB")]


def test_one_item_a_name_with_the_origin_of_all_that_is_known() -> None:
    made = project(
        {
            "package.json": '{"name": "web"}',
            ".env.example": "URL=\n#COMMENTED=1\n",
            ".env.production": "URL=https://acme.io\n",
            ".gitignore": ".env.local\n",
            ".env.local": "URL=http://localhost\nONLY_HERE=1\n",
            "src/a.ts": "process.env.URL!; process.env.URL;",
            "src/b.ts": "process.env.URL ?? ''",
            "compose.production.yaml": "services:\n  web:\n    build: .\n    environment:\n      URL: ${URL:-x}\n",
            "Dockerfile": 'FROM node:24-alpine\nCMD ["node", "a.js"]\n',
        }
    )
    items = {item.facts["name"]: item for item in variables.items(made)}
    assert "ONLY_HERE" not in items, "what a laptop has and CI has not"
    url = items["URL"].facts
    assert url["needed"] == "the code fails without it"
    assert [(each.node.source.path, each.facts["count"]) for each in url["reads"]] == [
        ("src/a.ts", 2), ("src/b.ts", 1), ("compose.production.yaml", 1),
    ]  # fmt: skip
    assert [node.source.path for node in url["documented"]] == [".env.example"]
    assert [node.source.path for node in url["assigned"]] == [".env.production"]
    assert [(each.facts["platform"], each.facts["target"]) for each in url["given"]] == [("compose", "web")]
    assert url["local"] == [".env.local"]
    assert [node.value for node in items["COMMENTED"].facts["documented"]] == ["COMMENTED"]


def test_a_local_env_file_turns_no_finding_on_or_off() -> None:
    files = {
        "package.json": '{"name": "web"}',
        ".gitignore": ".env*\n!.env.example\n",
        ".env.example": "OTHER=\n",
        "src/a.ts": "process.env.URL!",
    }
    names = [
        [(key, each.needed, len(each.assigned)) for key, each in sorted(variables.of(project(tree)).variables.items())]
        for tree in (files, {**files, ".env.production": "URL=x\nOTHER=y\n"})
    ]
    assert names[0] == names[1]


@given(st.text(alphabet="process.env[]{}'\"`!?= NAME_;\n/*:,()", max_size=200))
def test_any_code_is_read_without_a_complaint(code: str) -> None:
    made = project({"src/main.ts": "process.env." + code, "src/main.py": "os.environ" + code})
    for item in variables.items(made):
        node = item.node
        assert node.source.text[node.start : node.end] == item.facts["name"]


def test_the_guide(guide: Path) -> None:
    made = Project(DiskTree(str(guide)), AS_OF, load().table)
    made.look()
    needed = {item.facts["name"] for item in variables.items(made) if item.facts["needed"]}
    assert {"REDIS_URL", "REDIS_TOKEN", "SENTRY_DSN", "CLERK_SECRET_KEY", "NEXTAUTH_SECRET"} <= needed
    assert not {"NODE_ENV", "SMTP_USER", "VERCEL_ANALYTICS_ID", "DB_MAX_CONNECTIONS"} & needed
    compose, pod = (target for target in variables.of(made).targets if target.platform in ("compose", "kubernetes"))
    assert sorted(compose.names) == ["DATABASE_URL", "NODE_ENV", "REDIS_URL"]
    assert sorted(pod.names) == ["DATABASE_URL", "NODE_ENV"]
    assert (compose.folder, pod.folder) == ("", "")
    scripts = {target.environment: sorted(target.names) for target in variables.of(made).targets if target.script}
    assert scripts == {
        "production": ["CLERK_SECRET_KEY", "DATABASE_URL", "NEXTAUTH_SECRET"],
        "staging": ["DATABASE_URL"],
    }
