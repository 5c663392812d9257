"""Turns a name into a hostile tree: one case each, made by code, beside a canary project that must still be judged."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path

Text = str | bytes
Files = dict[str, Text]

# Made for these tests; none may be seen in any output.
SECRETS = {
    "stripe": "sk_live_" + "51Hq8Zt3LmVw7RxN2cKyPd9B",
    "github": "ghp_" + "a8Fk2LmQ9zXw3RtY7uVb5NcD1eGh4JiKoPsT",
    "npm": "npm_" + "Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0LzXcVbNmQ",
    "password": "Zr4tYp9wQx7nLv2cHd",
    "url": "hG5tWq8zXn3LsVb6",
    "session": "q7ZxV2mLr9TbKc4eWf8sPa3d",
    "aws": "wJalrXUtnF7K1MDENGbPxRfiCYzHq8LmNt2Ve5Wd",
}
STRIPE, GITHUB, NPM = SECRETS["stripe"], SECRETS["github"], SECRETS["npm"]
PASSWORD, URL, SESSION, AWS = SECRETS["password"], SECRETS["url"], SECRETS["session"], SECRETS["aws"]

# Findings for certain, and secrets beside them: in every tree.
CANARY: Files = {
    "canary/Dockerfile.production": (
        f"FROM node:24-alpine\nENV API_TOKEN={STRIPE} DATABASE_URL=postgresql://a:{URL}@db/x\nUSER root\nCMD [\"node\", \"s.js\"]\n"
    ),
    "canary/.env.production": (
        f"DATABASE_URL=postgresql://shop:{URL}@db:5432/shop\nSESSION_SECRET={SESSION}\nSTRIPE_SECRET_KEY={STRIPE}\n"
        f"GITHUB_TOKEN={GITHUB}\nNEXT_PUBLIC_API_PASSWORD={PASSWORD}\nAWS_SECRET_ACCESS_KEY={AWS}\n"
    ),
}  # fmt: skip

COMPOSE = "compose.production.yaml"
K8S = "k8s/production/app.yaml"
WORKFLOW = ".github/workflows/production.yml"
DOCKER = "Dockerfile.production"
ENV = ".env.production"


class Case:
    """One hostile tree: its files, what is done to the folder after they are written, the exit codes that are right."""

    def __init__(
        self, files: Files | Callable[[], Files], codes: tuple[int, ...], after: Callable[[Path], None] | None = None
    ) -> None:
        self.files = files
        self.codes = codes
        self.after = after

    def write(self, tree: Path, canary: bool = True) -> None:
        """Writes the tree. Raises OSError where this file system or user cannot."""
        files = self.files() if callable(self.files) else self.files
        for name, text in {**(CANARY if canary else {}), **files}.items():
            path = os.path.join(os.fsencode(tree), os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        if self.after is not None:
            self.after(tree)


def service(body: str) -> str:
    """A Compose file around some lines of a service."""
    return f"services:\n  web:\n    image: ghcr.io/acme/shop:1\n    restart: always\n{body}"


def workflow(body: str) -> str:
    """A workflow around some lines."""
    return f"name: production\non: push\n{body}"


def deployment(body: str) -> str:
    """A Deployment around some lines of its container."""
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: web}}\n"
        "  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - name: web\n"
        f"        image: ghcr.io/acme/shop:1\n{body}"
    )


def nest(opening: str, closing: str, depth: int, inner: str = "") -> str:
    """Brackets in brackets."""
    return opening * depth + inner + closing * depth


# The types that stand where others are expected.
ODD = (
    "null",
    "[]",
    "{}",
    "''",
    "0",
    "-1",
    "1e999",
    "true",
    "[null]",
    "[[]]",
    "{'': null}",
    "[{}]",
    "'\\ud800'",
    "0x",
    "1:2",
    "~",
    "[1, 'a', null, {a: []}]",
)


def wrong_types(template: str) -> str:
    """A document a type: every `@` of a template is replaced."""
    return "\n---\n".join(template.replace("@", odd) for odd in ODD)


def merge_bomb(levels: int = 11) -> str:
    rows = ["a0: &a0 {k: v}"]
    rows += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, levels)]
    return "\n".join(rows) + "\n"


def alias_bomb(levels: int = 30) -> str:
    rows = ["a0: &a0 [x, x]"]
    rows += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, levels)]
    return "\n".join(rows) + f"\nservices: {{web: {{image: a, environment: *a{levels - 1}}}}}\n"


def _yaml() -> dict[str, Case]:
    deep = "".join("  " * n + f"k{n}:\n" for n in range(2_000))
    odd_scalars = service(
        "    environment:\n      A: 2024-13-45\n      B: "
        + "9" * 5000
        + "\n      C: !!float x\n      D: !!binary '*'\n"
        "      E: !!int 0b2\n      F: !!timestamp x\n      G: 1__0\n      H: .inf\n      I: 0o9\n      J: 190:20:30.15\n"
    )
    return {
        "yaml-deep-flow": Case(lambda: {COMPOSE: "services: " + nest("[", "]", 30_000)}, (2,)),
        "yaml-deep-flow-open": Case(lambda: {COMPOSE: "services: " + "[" * 20_000}, (2,)),
        "yaml-deep-flow-maps": Case(lambda: {COMPOSE: "{a: " * 100_000}, (2,)),
        "yaml-deep-dashes": Case(lambda: {K8S: "apiVersion: v1\nkind: List\nitems:\n" + "- " * 100_000}, (2,)),
        "yaml-deep-questions": Case(lambda: {COMPOSE: "? " * 30_000}, (2,)),
        "yaml-deep-block": Case(lambda: {COMPOSE: deep}, (2,)),
        "yaml-merge-bomb": Case(lambda: {COMPOSE: merge_bomb() + service("    environment: *a10\n")}, (1, 2)),
        "yaml-merge-bomb-workflow": Case(lambda: {WORKFLOW: merge_bomb() + workflow("jobs: *a10\n")}, (1, 2)),
        "yaml-alias-bomb": Case(lambda: {COMPOSE: alias_bomb()}, (1, 2)),
        "yaml-alias-bomb-k8s": Case(lambda: {K8S: alias_bomb() + "apiVersion: v1\nkind: ConfigMap\ndata: *a29\n"}, (1, 2)),
        "yaml-alias-bomb-workflow": Case(lambda: {WORKFLOW: alias_bomb(20) + workflow("env: *a19\njobs: *a18\n")}, (1, 2)),
        "yaml-alias-itself": Case({COMPOSE: "services: &a\n  web: &b {image: x, environment: *a, depends_on: *b}\n"}, (1, 2)),
        "yaml-alias-many": Case(lambda: {COMPOSE: service("    x: &a {b: c}\n    y:\n" + "    - *a\n" * 20_000)}, (1, 2)),
        "yaml-anchors-many": Case(lambda: {COMPOSE: service("    y:\n" + "".join(f"    - &a{n} x\n" for n in range(30_000)))}, (1, 2)),
        "yaml-odd-scalars": Case({COMPOSE: odd_scalars}, (1,)),
        "yaml-python-tags": Case({K8S: "apiVersion: v1\nkind: ConfigMap\nmetadata: !!python/object/apply:os.system ['id']\ndata: !!python/name:os.system\n"}, (1, 2)),
        "yaml-documents": Case(lambda: {K8S: "---\napiVersion: v1\nkind: Service\nmetadata: {name: x}\n" * 10_000}, (1, 2)),
        "yaml-keys": Case(lambda: {COMPOSE: service("    environment:\n" + "".join(f"      K{n}: v{n}\n" for n in range(40_000)))}, (1, 2)),
        "yaml-duplicate-keys": Case(lambda: {COMPOSE: service("    environment:\n" + "      K: v\n" * 8_000)}, (1, 2)),
        "yaml-duplicate-on": Case({WORKFLOW: "on: push\non: pull_request_target\njobs: {}\njobs: {}\n"}, (1, 2)),
        "yaml-services": Case(lambda: {COMPOSE: "services:\n" + "".join(f"  s{n}: {{image: 'a/b:{n}', depends_on: [s{n - 1}]}}\n" for n in range(1, 5_000))}, (1, 2)),
        "yaml-depends-cycle": Case({COMPOSE: "services:\n  a: {image: x, depends_on: [b], extends: {service: b}}\n  b: {image: x, depends_on: [a], extends: {service: a}}\n"}, (1, 2)),
        "yaml-include-cycle": Case({COMPOSE: "include: [compose.production.yaml, other/compose.yaml]\nservices: {}\n", "other/compose.yaml": "include: [../compose.production.yaml]\nservices: {}\n"}, (1, 2)),
        "yaml-reads-outside": Case({COMPOSE: service("    env_file: [../outside/secret.env, /etc/passwd]\n    extends: {file: ../outside/compose.yaml, service: x}\n") + "include: [../outside/compose.yaml]\n"}, (1, 2)),
        "yaml-long-scalar": Case(lambda: {COMPOSE: service("    command: " + "x" * 900_000 + "\n")}, (1, 2)),
        "yaml-long-key": Case(lambda: {COMPOSE: "x" * 5_000 + ": 1\n"}, (2,)),
        "yaml-interpolation": Case(lambda: {COMPOSE: service("    environment:\n      A: " + "${A:-" * 20_000 + "}" * 20_000 + "\n")}, (1, 2)),
        "yaml-tabs": Case({COMPOSE: "services:\n\tweb:\n\t\timage: x\n"}, (2,)),
        "yaml-control-characters": Case({COMPOSE: service("    command: \"\\e[31m\\a\\0\\x9b2J\\u202e\"\n    user: \"a\\n::set-env name=x::y\"\n")}, (1, 2)),
        "yaml-surrogate": Case({COMPOSE: service("    command: \"\\ud800\\udfff\"\n    user: '\ud800'\n")}, (2,)),
        "yaml-directives": Case({COMPOSE: "%YAML 9.9\n%TAG ! tag:evil,2000:\n---\n" + service("")}, (1, 2)),
        "yaml-one-broken-document": Case({K8S: "apiVersion: v1\nkind: Service\n---\n{\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n"}, (1, 2)),
        "yaml-wrong-types-k8s": Case({K8S: wrong_types("apiVersion: apps/v1\nkind: Deployment\nmetadata: @\nspec: @") + "\n---\n" + wrong_types("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: @, labels: @, annotations: @}\nspec: {replicas: @, strategy: @, selector: @, template: {metadata: @, spec: {containers: [{name: @, image: @, env: [@, {name: @, value: @, valueFrom: @}], envFrom: @, ports: [@, {containerPort: @}], resources: {limits: @}, livenessProbe: {httpGet: @}, securityContext: @, volumeMounts: @, lifecycle: @, command: @}, @], volumes: [@], securityContext: @, affinity: @}}}")}, (1, 2)),
        "yaml-wrong-types-k8s-kinds": Case({f"k8s/production/{kind}.yaml": wrong_types(f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a, namespace: @, annotations: @}}\nspec: @\ndata: @\nstringData: @\nrules: @") + "\n---\n" + wrong_types(f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{rules: [@, {{host: @, http: {{paths: [@, {{backend: @, path: @}}]}}}}], tls: [@], ports: [@, {{port: @, targetPort: @}}], selector: @, schedule: @, jobTemplate: {{spec: @}}, minAvailable: @, podSelector: @, ingress: [@], egress: @, maxReplicas: @, metrics: [@], scaleTargetRef: @, type: @}}") for kind in ("Ingress", "Service", "Secret", "ConfigMap", "CronJob", "NetworkPolicy", "HorizontalPodAutoscaler", "PodDisruptionBudget", "StatefulSet", "Pod", "List", "Role", "Namespace", "PersistentVolumeClaim", "ExternalSecret")}, (1, 2)),
        "yaml-wrong-types-compose": Case({f"s{n}/{COMPOSE}": f"services: {{a: {odd}, b: {{image: {odd}, ports: [{odd}], environment: {odd}, env_file: {odd}, build: {odd}, healthcheck: {odd}, deploy: {{resources: {odd}, replicas: {odd}}}, volumes: [{odd}], networks: {odd}, depends_on: {odd}, secrets: [{odd}], command: {odd}, user: {odd}, logging: {odd}, restart: {odd}, extends: {odd}, labels: {odd}}}}}\nvolumes: {odd}\nnetworks: {odd}\nsecrets: {{x: {odd}}}\ninclude: {odd}\n" for n, odd in enumerate(ODD)}, (1, 2)),
        "yaml-wrong-types-workflow": Case({f".github/workflows/production-{n}.yml": f"on: {odd}\npermissions: {odd}\nenv: {odd}\nconcurrency: {odd}\njobs: {{a: {odd}, deploy: {{runs-on: {odd}, needs: {odd}, if: {odd}, environment: {odd}, permissions: {odd}, strategy: {odd}, container: {odd}, services: {{x: {odd}}}, steps: [{odd}, {{uses: {odd}, with: {odd}, env: {odd}}}, {{run: {odd}, shell: {odd}, if: {odd}}}]}}}}\n" for n, odd in enumerate(ODD)}, (1, 2)),
        "yaml-wrong-types-gitlab": Case({f"g{n}/.gitlab-ci.yml": f"stages: {odd}\nvariables: {odd}\ninclude: {odd}\ndefault: {odd}\nworkflow: {{rules: {odd}}}\ndeploy: {{stage: {odd}, script: {odd}, rules: [{odd}, {{if: {odd}}}], only: {odd}, needs: [{odd}], extends: {odd}, environment: {odd}, image: {odd}, services: [{odd}], artifacts: {odd}, when: {odd}, before_script: {odd}}}\nx: {odd}\n" for n, odd in enumerate(ODD)}, (1, 2)),
        "yaml-wrong-types-others": Case({f"o{n}/{name}": text.replace("@", odd) for n, odd in enumerate(ODD) for name, text in {
            "azure-pipelines.yml": "trigger: @\npool: @\nvariables: @\nstages: [@, {stage: @, jobs: [@, {deployment: @, environment: @, strategy: @, steps: @}]}]\n",
            "cloudbuild.yaml": "steps: [@, {name: @, args: @, entrypoint: @, env: @, secretEnv: @}]\nimages: @\noptions: @\navailableSecrets: @\nsubstitutions: @\n",
            "buildspec.yml": "version: @\nenv: {variables: @, secrets-manager: @}\nphases: {build: {commands: @}, install: @}\nartifacts: @\n",
            "apprunner.yaml": "version: @\nruntime: @\nbuild: @\nrun: {command: @, network: @, env: [@, {name: @, value: @}]}\n",
            "action.yml": "name: @\nruns: {using: @, steps: [@, {run: @, uses: @, shell: @}]}\ninputs: @\n",
            "kustomization.yaml": "resources: @\nimages: [@]\npatches: [@, {path: @, target: @}]\nconfigMapGenerator: [@, {files: @, literals: @}]\nnamespace: @\nreplicas: @\n",
            "service.yaml": "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: @\nspec: {template: {metadata: @, spec: {containers: @}}}\n",
        }.items()}, (1, 2)),
    }  # fmt: skip


def _json() -> dict[str, Case]:
    odd = (
        "null",
        "[]",
        "{}",
        '""',
        "0",
        "-1",
        "1e400",
        "true",
        "[null]",
        "[[]]",
        '{"": null}',
        '["\\ud800"]',
        '"::set-env::"',
    )
    vercel = (
        '{"headers": [@, {"source": @, "headers": [@, {"key": @, "value": @}], "has": @}], "rewrites": @, "redirects": [@, '
        '{"source": @, "destination": @}], "functions": {"a": @, "api/*.ts": {"maxDuration": @, "memory": @}}, "crons": [@, '
        '{"path": @, "schedule": @}], "regions": @, "env": @, "build": @, "git": @, "framework": @, "buildCommand": @, "images": @}'
    )
    package = (
        '{"name": @, "dependencies": @, "devDependencies": {"next": @, "typescript": @}, "scripts": {"build": @, "start": @}, '
        '"engines": {"node": @}, "packageManager": @, "workspaces": @, "overrides": @, "volta": @, "prisma": @, "jest": @}'
    )
    return {
        "json-deep-arrays": Case(lambda: {"vercel.json": "[" * 100_000}, (2,)),
        "json-deep-arrays-closed": Case(lambda: {"vercel.json": '{"headers": ' + nest("[", "]", 50_000) + "}"}, (2,)),
        "json-deep-objects": Case(lambda: {"vercel.json": '{"a":' * 50_000 + "1" + "}" * 50_000}, (2,)),
        "json-numbers": Case(lambda: {"vercel.json": '{"functions": {"a": {"maxDuration": ' + "9" * 5_000 + ', "memory": 1e400}}, "x": NaN, "y": -Infinity}'}, (1, 2)),
        "json-keys": Case(lambda: {"vercel.json": '{"env": {' + ", ".join(f'"K{n}": "v"' for n in range(60_000)) + "}}"}, (1, 2)),
        "json-duplicates": Case(lambda: {"vercel.json": "{" + ", ".join(['"regions": ["iad1"]'] * 8_000) + "}"}, (1, 2)),
        "json-open-string": Case(lambda: {"vercel.json": '{"env": {"A": "' + "\\" * 400_001}, (2,)),
        "json-comments": Case(lambda: {"vercel.json": "/* " * 50_000 + "{}"}, (2,)),
        "json-comment-lines": Case(lambda: {"vercel.json": "// x\n" * 8_000 + "{}"}, (1, 2)),
        "json-surrogates": Case({"vercel.json": '{"env": {"A": "\\ud800"}, "headers": [{"source": "/\\udfff(.*)", "headers": [{"key": "\\ud83d", "value": "\\ude00"}]}]}'}, (1, 2)),
        "json-marks": Case({"vercel.json": b"\xef\xbb\xbf\xef\xbb\xbf{}"}, (1, 2)),
        "json-trailing": Case({"vercel.json": '{"regions": ["iad1"]}}}}]]]] x'}, (2,)),
        "json-empty": Case({"vercel.json": ""}, (2,)),
        "json-headers-many": Case(lambda: {"vercel.json": json.dumps({"headers": [{"source": f"/a{n}/(.*)", "headers": [{"key": f"X-{n}", "value": "v"}]} for n in range(5_000)]})}, (1, 2)),
        "json-source-traps": Case(lambda: {"vercel.json": json.dumps({"headers": [{"source": source, "headers": [{"key": "X-A", "value": "b"}]} for source in ("/(a+)+$", "/((a*)*)*b", "/:path((?:a|a)*)b", "/" + "(.*)" * 500, "/:a" * 2_000, "/(" * 5_000, "/" + "a" * 50_000, "/:p*" * 300, "/(?<x>a", "/[[[")], "rewrites": [{"source": "/" + "(.*)" * 300, "destination": "/" + "a" * 3_000}], "functions": {g: {"maxDuration": 10} for g in ("**/" * 400 + "x", "*" * 5_000, "{a,b}" * 300, "[" * 3_000, "a{1..99999999}", "(" * 999)}})}, (1, 2)),
        "json-wrong-types-vercel": Case({f"v{n}/vercel.json": vercel.replace("@", each) for n, each in enumerate(odd)}, (1, 2)),
        "json-wrong-types-railway": Case({f"r{n}/railway.json": ('{"$schema": "https://railway.com/railway.schema.json", "build": @, "deploy": {"startCommand": @, "healthcheckPath": @, "numReplicas": @, "restartPolicyType": @, "cronSchedule": @, "multiRegionConfig": @}, "environments": {"production": @}}').replace("@", each) for n, each in enumerate(odd)}, (1, 2)),
        "json-wrong-types-package": Case({f"p{n}/{name}": text for n, each in enumerate(odd) for name, text in {"package.json": package.replace("@", each), "next.config.js": "module.exports = {}\n", "package-lock.json": '{"lockfileVersion": @, "packages": {"": @, "node_modules/next": @}, "dependencies": @}'.replace("@", each), "tsconfig.json": '{"compilerOptions": @, "extends": @, "paths": @}'.replace("@", each)}.items()}, (1, 2)),
        "json-package-deep": Case(lambda: {"package.json": '{"dependencies": ' + nest("[", "]", 50_000) + "}", "next.config.js": "module.exports = {}\n"}, (1, 2)),
        "json-package-many": Case(lambda: {"package.json": json.dumps({"dependencies": {f"p{n}": "^1.0.0" for n in range(20_000)}, "scripts": {f"s{n}": f"npm run s{n + 1} && npm run s{n + 2}" for n in range(3_000)}}), "next.config.js": "module.exports = {}\n", DOCKER: "FROM node:24\nCOPY package.json .\nRUN npm run s0\nUSER 1\nCMD npm run s1\n"}, (1, 2)),
        "json-lock-traps": Case(lambda: {"package.json": '{"dependencies": {"next": "16.0.0"}}', "next.config.js": "module.exports = {}\n", "package-lock.json": '{"packages": ' + '{"node_modules/next": ' * 20_000, "yarn.lock": "next@" * 100_000 + "\n" + '"next@^1, ' * 20_000, "pnpm-lock.yaml": "importers:\n" + "  " * 30_000 + "next:\n" + "      next:\n" * 30_000}, (1, 2)),
        "json-task-definition": Case(lambda: {"task-definition.json": '{"containerDefinitions": ' + nest("[", "]", 5_000) + "}"}, (2,)),
        "json-wrong-types-cloud": Case({f"c{n}/task-definition.json": '{"containerDefinitions": [@, {"name": @, "image": @, "environment": [@, {"name": @, "value": @}], "secrets": @, "healthCheck": @, "memory": @, "logConfiguration": @}], "cpu": @, "networkMode": @}'.replace("@", each) for n, each in enumerate(odd)}, (1, 2)),
    }  # fmt: skip


def _toml() -> dict[str, Case]:
    odd = ("[]", "{}", "''", "0", "-1", "1e400", "true", "[[]]", "[{}]", "nan", "1979-05-27", "'::set-env::'")
    return {
        "toml-deep-arrays": Case(lambda: {"railway.toml": "a = " + nest("[", "]", 20_000)}, (2,)),
        "toml-deep-tables": Case(lambda: {"railway.toml": "a = " + "{a = " * 20_000}, (2,)),
        "toml-dotted": Case(lambda: {"railway.toml": "a" + ".a" * 50_000 + " = 1\n"}, (2,)),
        "toml-dotted-header": Case(lambda: {"railway.toml": "[a" + ".a" * 50_000 + "]\n"}, (2,)),
        "toml-dotted-often": Case(lambda: {"railway.toml": "".join(f"[{'.'.join(['a'] * 150)}.b{n}]\n" for n in range(2_500))}, (1, 2)),
        "toml-tables": Case(lambda: {"railway.toml": "[[a]]\n" * 100_000}, (1, 2)),
        "toml-keys": Case(lambda: {"railway.toml": "[deploy]\n" + "".join(f"k{n} = 1\n" for n in range(60_000))}, (1, 2)),
        "toml-integer": Case(lambda: {"railway.toml": "[deploy]\nnumReplicas = " + "9" * 10_000 + "\n"}, (1, 2)),
        "toml-open-string": Case(lambda: {"railway.toml": '[deploy]\nstartCommand = """' + '"' * 2 + "\\\n" * 200_000}, (2,)),
        "toml-dates": Case({"railway.toml": "[deploy]\nnumReplicas = 2024-13-45\nstartCommand = 99:99:99\n"}, (2,)),
        "toml-wrong-types": Case({f"r{n}/railway.toml": f"build = {each}\n[deploy]\nstartCommand = {each}\nhealthcheckPath = {each}\nnumReplicas = {each}\nrestartPolicyType = {each}\ncronSchedule = {each}\nmultiRegionConfig = {each}\n" for n, each in enumerate(odd)}, (1, 2)),
        "toml-blank": Case(lambda: {"railway.toml": " " * 500_000 + "x" + "\t" * 400_000}, (2,)),
    }  # fmt: skip


def _env() -> dict[str, Case]:
    bomb = "A0=xxxxxxxxxx\n" + "".join(f"A{n}=$A{n - 1}${{A{n - 1}}}$A{n - 1}\n" for n in range(1, 60))
    traps = "".join(
        f"V{n}={trap * 3_000}!\n"
        for n, trap in enumerate(
            (
                "a",
                "a@",
                "http://a",
                "postgres://a:",
                "${",
                "$",
                "a.",
                "-",
                "_",
                " ",
                "\t",
                "eyJ",
                "sk_",
                "=",
                "\\",
                "'",
                "%",
                "/",
                ":",
                "AKIA",
                "A1b",
                "a1 ",
                "key ",
                "x=y,",
            )
        )
    )
    return {
        "env-lines": Case(lambda: {ENV: "".join(f"K{n}={n}\n" for n in range(80_000))}, (1, 2)),
        "env-300000-lines": Case(lambda: {ENV: "A=b\n" * 300_000}, (2,)),
        "env-same-name": Case(lambda: {ENV: "A=b\n" * 200_000}, (1, 2)),
        "env-blank-lines": Case(lambda: {ENV: "\n" * 1_000_000 + "A=b\n"}, (1, 2)),
        "env-long-line": Case(lambda: {ENV: "A=" + "x" * 1_000_000 + "\n"}, (1, 2)),
        "env-long-digits": Case(lambda: {ENV: "A=" + "0" * 400_000 + "\nB=" + "a" * 300_000 + "\nC=" + "A1" * 150_000 + "\n"}, (1, 2)),
        "env-long-name": Case(lambda: {ENV: "A" * 500_000 + "=1\n" + "B" * 400_000}, (1, 2)),
        "env-too-large": Case(lambda: {ENV: "A=" + "x" * (1 << 20) + "\n"}, (2,)),
        "env-far-too-large": Case(lambda: {ENV: "A=bcdefgh\n" * 1_200_000}, (2,)),
        "env-open-quote": Case(lambda: {ENV: 'A="' + "x\n" * 300_000}, (1, 2)),
        "env-quotes": Case(lambda: {ENV: "A='\nB=\"\nC=`\n" * 60_000}, (1, 2)),
        "env-regex-traps": Case(lambda: {ENV: traps}, (1, 2)),
        "env-secret-traps": Case(lambda: {ENV: "".join(f"{n}={t * 20_000}\n" for n, t in (("API_KEY", "a1"), ("SESSION_SECRET", "-"), ("DATABASE_URL", "postgres://a:b@"), ("JWT_TOKEN", "eyJa."), ("PASSWORD", "Aa1 ")))}, (1, 2)),
        "env-expansion-bomb": Case({ENV: bomb + "DATABASE_URL=$A59\nNEXT_PUBLIC_URL=${A59}\n"}, (1, 2)),
        "env-expansion-loop": Case({ENV: "A=$B\nB=${C:-$A}\nC=$C\nDATABASE_URL=$A\n"}, (1, 2)),
        "env-expansion-deep": Case(lambda: {ENV: "A=" + "${A:-" * 50_000 + "}" * 50_000 + "\n"}, (1, 2)),
        "env-nul": Case({ENV: b"A=b\0c\n"}, (2,)),
        "env-latin1": Case({ENV: b"A=caf\xe9\n"}, (2,)),
        "env-utf16": Case({ENV: "A=b\n".encode("utf-16")}, (2,)),
        "env-utf16-big": Case({ENV: b"\xfe\xff" + "A=b\n".encode("utf-16-be")}, (2,)),
        "env-utf32": Case({ENV: "A=b\n".encode("utf-32")}, (2,)),
        "env-utf16-without-mark": Case({ENV: "A=b\n".encode("utf-16-le")}, (2,)),
        "env-surrogate-bytes": Case({ENV: b"A=\xed\xa0\x80\n"}, (2,)),
        "env-bom": Case({ENV: b"\xef\xbb\xbfA=b\r\nB=c\r\n"}, (1,)),
        "env-marks": Case({ENV: b"\xef\xbb\xbf\xef\xbb\xbfA=b\nB=\xef\xbb\xbfc\n"}, (1, 2)),
        "env-carriage-returns": Case(lambda: {ENV: "A=b\rB=c\r" * 50_000}, (1, 2)),
        "env-line-separators": Case({ENV: f"A=b\u2028B=c\u2029C=d\x85D=e\x0bE=f\x0cSESSION_SECRET={SESSION}\x1cF=g\n"}, (1, 2)),
        "env-escapes": Case({ENV: "A=\x1b[2J\x1b]0;pwned\x07\nB=\x9b31m\nC=\u202edlrow\u2066\nD\x1b[31m=1\n::set-env name=x::y\n##[set-env name=x]y\nNEXT_PUBLIC_##vso[task.setvariable]=1\n"}, (1, 2)),
        "env-markup": Case({ENV: "NEXT_PUBLIC_X=<script>alert(1)</script>\nDATABASE_URL=postgres://<script>alert(1)</script>:x@h/]]>\nA=@everyone [x](javascript:alert(1)) | `\n"}, (1, 2)),
    }  # fmt: skip


def _docker() -> dict[str, Case]:
    return {
        "docker-continuations": Case(lambda: {DOCKER: "FROM node:24\nRUN true \\\n" + "  && true \\\n" * 50_000 + "  && true\nUSER 1\n"}, (1, 2)),
        "docker-empty-continuations": Case(lambda: {DOCKER: "FROM node:24\nRUN true \\\n" + "\\\n" * 200_000 + "\nUSER 1\n"}, (1, 2)),
        "docker-comment-continuations": Case(lambda: {DOCKER: "FROM node:24\nRUN true \\\n" + "# x\n\n" * 100_000 + "  && true\nUSER 1\n"}, (1, 2)),
        "docker-stages": Case(lambda: {DOCKER: "".join(f"FROM {'s' + str(n - 1) if n else 'node:24'} AS s{n}\nRUN true\n" for n in range(3_000)) + "USER 1\n"}, (1, 2)),
        "docker-stages-copy": Case(lambda: {DOCKER: "".join(f"FROM node:24 AS s{n}\nCOPY --from=s{n - 1} /a /a\nCOPY . .\n" for n in range(1, 3_000))}, (1, 2)),
        "docker-stage-cycle": Case({DOCKER: "FROM b AS a\nFROM a AS b\nFROM c AS c\nCOPY --from=c / /\nCOPY --from=99999999999999999999 / /\n"}, (1, 2)),
        "docker-heredoc-open": Case(lambda: {DOCKER: "FROM node:24\nRUN <<EOF\n" + "x\n" * 100_000}, (1, 2)),
        "docker-heredocs": Case(lambda: {DOCKER: "FROM node:24\nRUN " + " ".join(f"<<E{n}" for n in range(3_000)) + "\n"}, (1, 2)),
        "docker-variables": Case(lambda: {DOCKER: "ARG A0=xxxxxxxxxx\n" + "".join(f"ARG A{n}=$A{n - 1}${{A{n - 1}}}${{A{n - 1}:-$A{n - 1}}}\n" for n in range(1, 60)) + "FROM node:$A59\nENV B=$A59\nUSER $A59\nEXPOSE $A59\n"}, (1, 2)),
        "docker-variable-deep": Case(lambda: {DOCKER: "FROM node:24\nENV A=" + "${A:-" * 30_000 + "}" * 30_000 + "\nUSER ${A" + "%%*" * 20_000 + "}\n"}, (1, 2)),
        "docker-environment": Case(lambda: {DOCKER: "FROM node:24\n" + "".join(f"ENV K{n}=$K{n - 1}\n" for n in range(1, 20_000)) + "USER 1\n"}, (1, 2)),
        "docker-copies": Case(lambda: {DOCKER: "FROM node:24\nCOPY " + "a " * 100_000 + "/x/\nUSER 1\n"}, (1, 2)),
        "docker-json-deep": Case(lambda: {DOCKER: "FROM node:24\nUSER 1\nCMD " + "[" * 50_000 + "\nENTRYPOINT " + '["a",' * 20_000 + "\n"}, (1, 2)),
        "docker-run-deep": Case(lambda: {DOCKER: "FROM node:24\nRUN echo " + "$(echo " * 20_000 + "\nRUN " + "(" * 20_000 + "\nRUN " + "{ " * 20_000 + "\nUSER 1\n"}, (1, 2)),
        "docker-run-backticks": Case(lambda: {DOCKER: "FROM node:24\nRUN " + "`echo " * 20_000 + "\nRUN " + "'\"" * 50_000 + "\nUSER 1\n"}, (1, 2)),
        "docker-runs": Case(lambda: {DOCKER: "FROM node:24\n" + "RUN apt-get update && apt-get install -y curl && npm ci\n" * 8_000}, (1, 2)),
        "docker-escape": Case({DOCKER: "# escape=`\n# syntax=evil/frontend:latest\n# check=skip=all\nFROM node:24 `\n AS a\nRUN echo \\\nUSER 1\n"}, (1, 2)),
        "docker-odd-values": Case(lambda: {DOCKER: "FROM\nFROM @sha256:\nFROM --platform= x:\nFROM a:b:c@d:e AS\nEXPOSE " + "9" * 5_000 + " a/b/c -1 1-99999999\nUSER :::\nHEALTHCHECK --interval=" + "9" * 400 + "s --timeout=x CMD\nSHELL {}\nONBUILD ONBUILD FROM x\nSTOPSIGNAL " + "9" * 5_000 + "\nWORKDIR " + "../" * 5_000 + "\nCOPY\nADD --checksum=\nVOLUME [\nLABEL =\nENV =\nARG\nMAINTAINER\nXYZ\n"}, (1, 2)),
        "docker-ignore-traps": Case(lambda: {DOCKER: "FROM node:24\nCOPY . .\nUSER 1\n", ".dockerignore": "".join(f"{'**/' * 40}{'*a' * 60}{n}\n" for n in range(40)) + "**a" * 200 + "\n" + "[" * 5_000 + "\n" + "[a-z" * 2_000 + "]\n!" + "*" * 5_000 + "\n", **{f"{'a' * 60}/{'a' * 200}{n}": "x" for n in range(30)}}, (1, 2)),
        "docker-null-lines": Case(lambda: {DOCKER: "\n" * 500_000 + "FROM node:24\n" + " " * 400_000}, (1, 2)),
        "docker-secrets-on-a-line": Case({DOCKER: f"FROM node:24\nENV A={STRIPE} B={GITHUB} C={NPM} API_PASSWORD={PASSWORD}\nRUN curl -H 'Authorization: Bearer {GITHUB}' -u admin:{PASSWORD} https://u:{URL}@h/ && npm config set //registry.npmjs.org/:_authToken={NPM}\nARG TOKEN={SESSION}\nUSER 1\n"}, (1,)),
    }  # fmt: skip


def _code() -> dict[str, Case]:
    config = "next.config.js"
    spread = (
        "const a0 = ['x', 'x'];\n"
        + "".join(f"const a{n} = [...a{n - 1}, ...a{n - 1}];\n" for n in range(1, 40))
        + "module.exports = {images: {domains: a39}}\n"
    )
    objects = (
        "const a0 = {k: 'v'};\n"
        + "".join(f"const a{n} = {{a: a{n - 1}, b: a{n - 1}, ...a{n - 1}}};\n" for n in range(1, 40))
        + "module.exports = {env: a39, ...a39}\n"
    )
    text = (
        "const a0 = 'xxxxxxxxxx';\n"
        + "".join(f"const a{n} = `${{a{n - 1}}}${{a{n - 1}}}`;\n" for n in range(1, 60))
        + "module.exports = {basePath: a59, output: a59 + a59}\n"
    )
    choice = (
        "".join(f"const a{n} = process.env.X{n} ? 'a{n}' : 'b{n}';\n" for n in range(40))
        + "module.exports = {basePath: "
        + "`"
        + "".join(f"${{a{n}}}" for n in range(40))
        + "`"
        + ", output: "
        + " + ".join(f"a{n}" for n in range(40))
        + "}\n"
    )
    return {
        "code-recovery-loop": Case({config: "([{'',e/'')p((a ", "src/middleware.ts": "([{'',e/'')p((a "}, (1, 2)),
        "code-braces": Case(lambda: {config: "module.exports = " + "{a:" * 100_000}, (2,)),
        "code-brackets": Case(lambda: {config: "module.exports = " + "[" * 100_000}, (2,)),
        "code-parentheses": Case(lambda: {config: "module.exports = " + nest("(", ")", 100_000, "1")}, (2,)),
        "code-templates": Case(lambda: {config: "module.exports = {a: " + "`${" * 15_000 + "}`" * 15_000 + "}"}, (2,)),
        "code-unary": Case(lambda: {config: "module.exports = {a: " + "-" * 100_000 + "1, b: " + "!" * 100_000 + "1}"}, (1, 2)),
        "code-functions": Case(lambda: {config: "module.exports = " + "()=>" * 50_000 + "1"}, (1, 2)),
        "code-blocks": Case(lambda: {"src/middleware.ts": "export function middleware() {" + "if (a) {" * 15_000 + "}" * 15_000}, (1, 2)),
        "code-else": Case(lambda: {"src/middleware.ts": "export function middleware() {" + "if (a) {} else " * 15_000 + "{} }"}, (1, 2)),
        "code-ternaries": Case(lambda: {config: "module.exports = {a: " + "x ? y : " * 30_000 + "z}"}, (1, 2)),
        "code-members": Case(lambda: {config: "module.exports = {a: x" + ".a" * 100_000 + ", b: f" + "()" * 50_000 + "}"}, (1, 2)),
        "code-additions": Case(lambda: {config: "module.exports = {a: 'x'" + " + 'x'" * 50_000 + "}"}, (1, 2)),
        "code-spread-bomb": Case({config: spread}, (1, 2)),
        "code-object-bomb": Case({config: objects}, (1, 2)),
        "code-text-bomb": Case({config: text}, (1, 2)),
        "code-choice-bomb": Case({config: choice}, (1, 2)),
        "code-itself": Case({config: "const a = b, b = a; const c = {...c, d: c}; function f() { return f() } module.exports = {...module.exports, a, c, headers: f, async headers() { return this.headers() }}\n"}, (1, 2)),
        "code-headers-bomb": Case(lambda: {config: "const h = [" + "{source: '/:path*', headers: [{key: 'X-Frame-Options', value: 'DENY'}]}," * 5_000 + "]; module.exports = {async headers() { return [...h, ...h, ...h] }}\n"}, (1, 2)),
        "code-import-cycle": Case({config: "import a from './a'; export default a\n", "a.js": "export {default} from './b'; import c from './next.config'\n", "b.js": "import a from './a'; export default {...a}\n"}, (1, 2)),
        "code-imports-outside": Case({config: "import a from '../outside/config'; import b from '/etc/passwd'; export default {...a, ...b}\n"}, (1, 2)),
        "code-imports": Case(lambda: {config: "".join(f"import a{n} from './m{n}'\n" for n in range(3_000)) + "export default {}\n", **{f"m{n}.js": f"import x from './m{n + 1}'; export default x\n" for n in range(300)}}, (1, 2)),
        "code-minified": Case(lambda: {"src/middleware.ts": "export function middleware(){" + "r.headers.set('X-A','b');process.env.A_B;" * 20_000 + "}"}, (1, 2)),
        "code-expressions": Case(lambda: {config: "module.exports = {a: /" + "(a+)+" * 5_000 + "$/, b: /[/" + "\n", "src/proxy.ts": "const x = /" * 30_000}, (2,)),
        "code-jsx": Case(lambda: {"src/app/layout.tsx": "export default () => " + "<div>" * 20_000}, (1, 2)),
        "code-generics": Case(lambda: {"src/middleware.ts": "export const x: " + "Array<" * 20_000}, (1, 2)),
        "code-names": Case(lambda: {"src/lib/env.ts": "".join(f"export const e{n} = process.env.NAME_{n}\n" for n in range(18_000))}, (1, 2)),
        "code-name-traps": Case(lambda: {"src/lib/rate-limit.ts": "process.env." * 60_000, "src/app/api/health/route.ts": "import " * 100_000, "lib/sanitize.ts": "from '" * 100_000, "src/a.py": "os.environ[" * 60_000 + "\n" + "os.getenv('" * 20_000}, (1, 2)),
        "code-python": Case(lambda: {"app/settings.py": "import os\nx = " + "(" * 50_000 + "os.environ['A']\n" + "os.environ.get(" * 10_000}, (1, 2)),
    }  # fmt: skip


def _shell() -> dict[str, Case]:
    script = "scripts/backup.sh"
    head = '#!/bin/sh\nset -eu\npg_dump "$DATABASE_URL" > /backup/x.sql\n'

    def shell(body: Callable[[], str]) -> Case:
        return Case(
            lambda: {script: head + body() + "\n", "scripts/deploy.sh": "#!/bin/bash\nvercel --prod\n" + body() + "\n"},
            (1, 2),
        )

    return {
        "shell-parentheses": shell(lambda: "(" * 50_000),
        "shell-substitutions": shell(lambda: "echo " + "$(" * 50_000),
        "shell-substitutions-closed": shell(lambda: "echo " + nest("$(echo ", ")", 190)),
        "shell-arithmetic": shell(lambda: "echo " + "$((" * 30_000),
        "shell-braces": shell(lambda: "{ " * 50_000),
        "shell-expansions": shell(lambda: 'echo "' + "${a:-" * 50_000 + '"'),
        "shell-expansions-closed": shell(lambda: 'echo "' + nest("${a:-", "}", 15_000) + '"'),
        "shell-backticks": shell(lambda: "echo " + "`" * 50_001),
        "shell-tests": shell(lambda: "[[ " * 30_000),
        "shell-tests-parentheses": shell(lambda: "[[ " + "! " * 30_000 + "a ]]"),
        "shell-if": shell(lambda: "if true; then " * 20_000),
        "shell-if-closed": shell(lambda: "if true; then\n" * 8_000 + "echo\n" + "fi\n" * 8_000),
        "shell-loops": shell(lambda: "while :; do\n" * 8_000 + "x\n" + "done\n" * 8_000),
        "shell-case": shell(lambda: "case x in a) " * 15_000),
        "shell-elif": shell(lambda: "if a; then b\n" + "elif a; then b\n" * 15_000 + "fi"),
        "shell-heredocs": shell(lambda: "cat " + "<<A " * 5_000 + "\n" + "x\nA\n" * 5_000),
        "shell-heredoc-open": shell(lambda: "cat <<'EOF'\n" + "$(x\n" * 60_000),
        "shell-functions": shell(lambda: "".join(f"f{n}() {{ f{n + 1}; f{n + 2}; }}\n" for n in range(2_900)) + "f0"),
        "shell-functions-many": shell(lambda: "f() { f; }\n" * 20_000),
        "shell-pipes": shell(lambda: "a | " * 50_000 + "a"),
        "shell-and": shell(lambda: "a && " * 50_000 + "a"),
        "shell-quotes": shell(lambda: "'\"" * 60_001),
        "shell-long-word": shell(lambda: "echo " + "a" * 390_000),
        "shell-assignments": shell(lambda: "".join(f"A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, 8_000)) + 'rm -rf "$A7999"'),
        "shell-arrays": shell(lambda: "a=(" * 30_000),
        "shell-redirects": shell(lambda: "a " + ">&2 " * 50_000),
        "shell-negations": shell(lambda: "! " * 50_000 + "a"),
        "shell-commands": shell(lambda: "pg_dump x | gzip > /b/$(date +%F).gz\nrm -rf /backup/$X\nfind /b -mtime +7 -delete\n" * 1_200),
        "shell-calls": Case(lambda: {f"scripts/deploy-{n}.sh": f"#!/bin/sh\n. ./deploy-{n + 1}.sh\nsh scripts/deploy-{(n * 7) % 200}.sh\n./deploy-{n}.sh\n. ../../outside/x.sh\n. /etc/passwd\nvercel --prod\n" for n in range(200)}, (1, 2)),
        "shell-nul": Case({script: b"#!/bin/sh\npg_dump x\0\n"}, (2,)),
    }  # fmt: skip


def _others() -> dict[str, Case]:
    sql, nginx = "db/production.sql", "nginx/nginx.conf"
    begin = "CREATE ROLE shop LOGIN;\nCREATE DATABASE shop OWNER shop;\n"
    csp = 'add_header Content-Security-Policy "{}" always;'

    def server(body: str) -> str:
        return (
            "events {}\nhttp {\n server {\n listen 443 ssl;\n server_name a;\n"
            + body
            + "\n location / { proxy_pass http://web:3000; }\n }\n}\n"
        )

    return {
        "sql-open-string": Case(lambda: {sql: begin + "SELECT '" + "''" * 200_000}, (2,)),
        "sql-dollars": Case(lambda: {sql: begin + "".join(f"$a{n}$ " for n in range(80_000))}, (2,)),
        "sql-comments": Case(lambda: {sql: begin + "/* " * 200_000}, (2,)),
        "sql-parentheses": Case(lambda: {sql: begin + "SELECT " + "(" * 200_000}, (1, 2)),
        "sql-statements": Case(lambda: {sql: begin + "GRANT ALL ON DATABASE shop TO PUBLIC;\n" * 20_000}, (1, 2)),
        "sql-semicolons": Case(lambda: {sql: begin + ";" * 500_000}, (1, 2)),
        "sql-words": Case(lambda: {sql: begin + "CREATE TABLE " * 60_000 + ";\n" + "ALTER " * 60_000}, (1, 2)),
        "sql-do": Case(lambda: {sql: begin + "DO $$ BEGIN " + "IF x THEN " * 40_000 + " END $$;\n" + "\\i ../outside/x.sql\n\\copy x from '/etc/passwd'\n\\! id\n"}, (1, 2)),
        "sql-migrations": Case(lambda: {f"prisma/migrations/{n:014}_x/migration.sql": "ALTER TABLE a DROP COLUMN b;\n" for n in range(1_500)}, (1, 2)),
        "nginx-braces": Case(lambda: {nginx: "http {" + " server {" * 50_000}, (2,)),
        "nginx-braces-closed": Case(lambda: {nginx: "http {" + nest(" location / {", "}", 20_000) + "}"}, (2,)),
        "nginx-directives": Case(lambda: {nginx: server("add_header X-A b;\n" * 4_000)}, (1, 2)),
        "nginx-locations": Case(lambda: {nginx: server("".join(f"location ~ ^/a{n}(a+)+$ {{ add_header X-{n} b; proxy_pass http://web:3000; }}\n" for n in range(2_000)))}, (1, 2)),
        "nginx-open-quote": Case(lambda: {nginx: server('add_header A "' + "x\\" * 200_000)}, (2,)),
        "nginx-include-cycle": Case({nginx: "http { include nginx.conf; include *.conf; include ../../outside/*.conf; include /etc/passwd; server { listen 80; include sites/*; } }\n", "nginx/sites/a": "include ../nginx.conf;\n", "nginx/sites/b.conf": "include *;\n"}, (1, 2)),
        "nginx-variables": Case(lambda: {nginx: "http { " + "".join(f"map $a{n} $a{n + 1} {{ default $a{n}$a{n}; }}\n" for n in range(2_000)) + "server { listen 80; return 301 https://$a2000$request_uri; } }\n"}, (1, 2)),
        "nginx-words": Case(lambda: {nginx: server("server_name " + "a.example.com " * 40_000 + ";\nlisten " + "9" * 5_000 + ";\nproxy_read_timeout " + "9" * 5_000 + "x;\nssl_protocols;\nadd_header;\nadd_header X;\nif ($a = b) { add_header Y z; }")}, (1, 2)),
        "csp-directives": Case(lambda: {nginx: server(csp.format("; ".join(f"x-{n} 'self'" for n in range(20_000))))}, (1, 2)),
        "csp-sources": Case(lambda: {nginx: server(csp.format("script-src " + "https://a.example.com " * 20_000 + "'unsafe-eval' 'nonce-" + "a" * 20_000 + "'"))}, (1, 2)),
        "csp-odd": Case(lambda: {"vercel.json": json.dumps({"headers": [{"source": "/(.*)", "headers": [{"key": "Content-Security-Policy", "value": value}]} for value in ("", ";" * 50_000, "default-src" * 20_000, "'" * 20_000, "script-src " + "*." * 20_000, "a b,c d" * 5_000, "script-src 'sha256-" + "=" * 20_000 + "'", "\u0000\u001b[31m ::set-env::", "script-src https:// http:/ // : :443 *:* a:99999999999999999999", "default-src 'self'; " * 5_000)]})}, (1, 2)),
        "headers-traps": Case(lambda: {"vercel.json": json.dumps({"headers": [{"source": "/(.*)", "headers": [{"key": "Strict-Transport-Security", "value": "max-age=" + "9" * 5_000 + "; " * 5_000}, {"key": "Permissions-Policy", "value": "a=(" * 10_000}, {"key": "Access-Control-Allow-Origin", "value": "*," * 10_000}, {"key": "X-" * 10_000, "value": "\r\nSet-Cookie: a"}, {"key": "Cache-Control", "value": "max-age=" * 10_000}, {"key": "Set-Cookie", "value": "a=b; " * 10_000}]}]})}, (1, 2)),
        "cron-lines": Case(lambda: {"crontab": "0 3 * * * root /scripts/backup.sh\n" * 20_000}, (1, 2)),
        "cron-odd": Case(lambda: {"crontab": "*/0 * * * * x\n99999999999999999999 1-2-3 ,,, */*/* a-z x\n0-59/99999 * 31 2 8 x\n@\n@every x\n" + "*," * 50_000 + " * * * * x\n" + "0-59," * 20_000 + "1 * * * * x\n", "deploy/backup.timer": "[Timer]\nOnCalendar=" + "*-*-* " * 10_000 + "\n", "vercel.json": json.dumps({"crons": [{"path": "/a", "schedule": s} for s in ("", "* * * *", "*/0 * * * *", "9" * 5_000 + " * * * *", "0-59/0 * * * *", "a b c d e", "* " * 5_000, "1-" * 5_000 + " * * * *", "²/² ٣ * * *")]})}, (1, 2)),
        "markdown-brackets": Case(lambda: {"docs/deploy-checklist.md": "# Deploy checklist\n" + "[" * 200_000 + "\n" + "](" * 100_000}, (1, 2)),
        "markdown-boxes": Case(lambda: {"docs/deploy-checklist.md": "# Deploy checklist\n" + "- [ ] x\n" * 100_000}, (1, 2)),
        "markdown-nested": Case(lambda: {"docs/deploy-checklist.md": "# Deploy checklist\n" + "".join(" " * n + "- [ ] x\n" for n in range(1_000)) + ">" * 100_000 + "\n" + "#" * 100_000 + "\n"}, (1, 2)),
        "markdown-comments": Case(lambda: {"docs/deploy-checklist.md": "# Deploy checklist\n- [ ] a\n" + "<!-- elo-gate:" * 50_000}, (1, 2)),
        "markdown-fences": Case(lambda: {"docs/deploy-checklist.md": "# Deploy checklist\n- [ ] a\n" + "```\n~~~\n" * 80_000 + "`" * 100_001}, (1, 2)),
        "markdown-tables": Case(lambda: {"docs/deploy-checklist.md": "# Deploy checklist\n- [ ] a\n" + "|" * 200_000 + "\n" + "|-" * 100_000 + "\n" + "*_" * 100_000}, (1, 2)),
        "comments-ignore": Case(lambda: {COMPOSE: service("    command: x\n") + "# elo-gate: ignore[compose/x] reason\n" * 12_000, DOCKER: "FROM node:24\n" + "# elo-gate: ignore[" * 20_000 + "\nUSER root\n", ENV: "# elo-gate: ignore[env/x] y\nA=b\n" * 8_000}, (1, 2)),
        "gitignore-traps": Case(lambda: {".gitignore": "".join(f"{'**/' * 30}{'*a' * 60}{n}\n" for n in range(60)) + "[" * 5_000 + "\n" + "a**" * 300 + "b\n" + "[[:alpha:]]*" * 50 + "!\n\\" * 100, ".git/HEAD": "ref: x\n", **{f"{'a' * 60}/{'a' * 200}{n}": "x" for n in range(40)}}, (1, 2)),
        "gitignore-many": Case(lambda: {".gitignore": "".join(f"x{n}/*.log\n" for n in range(30_000)), ".git/HEAD": "ref: x\n", **{f"d{n}/a.md": "x" for n in range(300)}}, (1, 2)),
        "gitlab-traps": Case(lambda: {".gitlab-ci.yml": "deploy:\n  script: [vercel --prod]\n  rules:\n" + "".join(f"  - if: '$A =~ /{trap}/ && $CI_COMMIT_BRANCH =~ /^{trap}$/'\n" for trap in ("(a+)+$", "(a|a)*b", "(.*)*x", "[", "(?<x", "(a{1,9999}){9999}", "\\\\p{L}")) + "  - if: '" + "(" * 5_000 + "$A == \"b\"" + ")" * 5_000 + "'\n  - if: '" + "$A && " * 5_000 + "$B'\nx:\n  extends: x\ny:\n  extends: [z, y]\nz:\n  extends: y\ninclude: [{local: '/../outside/x.yml'}, {local: '**/*.yml'}, {local: .gitlab-ci.yml}]\n" + "".join(f"e{n}: {{extends: [e{n - 1}, e{n - 2}]}}\n" for n in range(2, 300))}, (1, 2)),
        "workflow-expressions": Case(lambda: {WORKFLOW: workflow("jobs:\n  a:\n    runs-on: x\n    if: " + "!(" * 5_000 + "\n    steps:\n    - run: echo ${{ " + "(" * 20_000 + " }}\n    - run: '" + "${{ a }}" * 20_000 + "'\n    - run: '" + "${{" * 50_000 + "'\n")}, (1, 2)),
        "workflow-needs": Case(lambda: {WORKFLOW: workflow("jobs:\n" + "".join(f"  j{n}:\n    needs: [j{(n + 1) % 150}, j{(n + 7) % 150}, j{(n + 100) % 150}]\n    runs-on: ubuntu-24.04\n    steps: [{{run: npm test}}, {{run: vercel --prod}}]\n" for n in range(150)))}, (1, 2)),
        "workflow-steps": Case(lambda: {WORKFLOW: workflow("jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n" + "    - uses: actions/checkout@v4\n    - run: npm ci && npm test && vercel --prod --token x\n" * 3_000)}, (1, 2)),
        "workflow-matrix": Case({WORKFLOW: workflow("jobs:\n  a:\n    strategy: {matrix: {" + ", ".join(f"a{n}: [" + ", ".join(map(str, range(50))) + "]" for n in range(20)) + "}}\n    runs-on: ${{ matrix.a1 }}\n    steps: [{run: vercel --prod}]\n")}, (1, 2)),
        "workflow-reusable": Case({f".github/workflows/production-{n}.yml": workflow("  workflow_call: {}\n").replace("on: push\n", "on:\n  push: {}\n") + f"jobs:\n  a: {{uses: ./.github/workflows/production-{(n + 1) % 30}.yml}}\n  b: {{uses: ./.github/workflows/production-{(n + 2) % 30}.yml}}\n  c: {{uses: ./../outside/x.yml}}\n" for n in range(30)}, (1, 2)),
        "kustomize-cycle": Case({"k8s/production/kustomization.yaml": "resources: [../base, ., ../production, ../../../outside, /etc]\npatches: [{path: ../../../outside/p.yaml}]\n", "k8s/base/kustomization.yaml": "resources: [../production, ../base]\n"}, (1, 2)),
        "kustomize-bomb": Case({f"k8s/production/l{n}/kustomization.yaml": "resources: [" + ", ".join([f"../l{n - 1}"] * 9 if n else ["../a.yaml"]) + "]\nnamePrefix: x-\n" for n in range(12)} | {"k8s/production/a.yaml": deployment("")}, (1, 2)),
        "k8s-many": Case(lambda: {K8S: "\n---\n".join(deployment("").replace("name: web", f"name: web{n}") for n in range(1_200))}, (1, 2)),
        "k8s-quantities": Case(lambda: {K8S: "\n---\n".join(deployment(f"        resources: {{limits: {{cpu: '{q}', memory: '{q}'}}, requests: {{cpu: '{q}', memory: '{q}'}}}}\n") for q in ("9" * 5_000, "1e999", "-1", "1e-999", "1" + "E" * 500, "0x1", "inf", "nan", "1__0", "²", "1.2.3Mi", "9" * 400 + "Ei"))}, (1, 2)),
    }  # fmt: skip


def _fifo(name: str) -> Callable[[Path], None]:
    return lambda tree: os.mkfifo(tree / name)


def _link(name: str, target: str) -> Callable[[Path], None]:
    def make(tree: Path) -> None:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, tree / name)

    return make


def _links(count: int) -> Callable[[Path], None]:
    def make(tree: Path) -> None:
        for number in range(count):
            os.symlink(f"{'x/' * 20}l{number + 1}", tree / f"l{number}.env")

    return make


def _socket(name: str) -> Callable[[Path], None]:
    def make(tree: Path) -> None:
        here = os.getcwd()
        os.chdir(tree)  # the path of a socket is short
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(name)
        finally:
            os.chdir(here)

    return make


def _device(name: str, major: int, minor: int) -> Callable[[Path], None]:
    return lambda tree: os.mknod(tree / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))


def _mode(name: str, mode: int) -> Callable[[Path], None]:
    return lambda tree: os.chmod(tree / name, mode)


def index(names: list[bytes], version: int = 2, count: int | None = None) -> bytes:
    """A git index with nothing true in it but names."""
    rows = b""
    for name in names:
        row = b"\0" * 60 + struct.pack(">H", min(len(name), 0xFFF)) + name
        rows += row + b"\0" * (8 - len(row) % 8)
    return b"DIRC" + struct.pack(">II", version, len(names) if count is None else count) + rows


def compressed_index() -> bytes:
    """An index of version 4 in which each name is the one before and a letter more."""
    row = b"\0" * 60 + b"\0\1" + b"\0" + b"a" + b"\0"
    return b"DIRC" + struct.pack(">II", 4, 100_000) + row * 100_000


def _files() -> dict[str, Case]:
    long = "a" * 240
    names = (
        "Dockerfile.a\n::set-output name=pwned::yes", "Dockerfile.##[set-env name=x]y", "Dockerfile.##vso[task.complete]", "Dockerfile.\x1b[2J\x1b[31m",
        "Dockerfile.\u202egnp.exe", "Dockerfile.'\"`$(id)", "Dockerfile.<script>alert(1)</script>", "Dockerfile.%0A::error::x", "Dockerfile.\r::add-mask::x",
        "Dockerfile.a b\tc", "Dockerfile.\u2028x\x85y", "Dockerfile.a\\..\\b", "Dockerfile.|x|[y](javascript:alert(1))", "Dockerfile.\x7f\x9b31m", "::warning::.env.production", "--fail-on=note.env", "-rf.env",
    )  # fmt: skip
    bytes_name = os.fsdecode(b"Dockerfile.\xff\xfe\xc3\x28")
    deep = "/".join(["d"] * 1_500)
    return {
        "file-fifo": Case({}, (2,), _fifo(DOCKER)),
        "file-fifo-ignore": Case({DOCKER: "FROM node:24\nCOPY . .\n"}, (1, 2), lambda tree: (os.mkfifo(tree / ".dockerignore"), os.mkfifo(tree / ".gitignore"), os.mkfifo(tree / "package.json"))[0]),
        "file-fifo-config": Case({}, (1, 2), _fifo("elo-gate.toml")),
        "file-fifo-pyproject": Case({}, (1, 2), _fifo("pyproject.toml")),
        "file-socket": Case({}, (2,), _socket(DOCKER)),
        "file-device": Case({}, (2,), _device(DOCKER, 1, 5)),
        "file-device-random": Case({}, (2,), _device(ENV, 1, 9)),
        "file-link-device": Case({}, (2,), _link(DOCKER, "/dev/zero")),
        "file-link-device-config": Case({}, (2,), _link("elo-gate.toml", "/dev/zero")),
        "file-link-proc": Case({}, (2,), _link(ENV, "/proc/self/environ")),
        "file-link-loop": Case({}, (2,), lambda tree: (os.symlink("b", tree / DOCKER), os.symlink(DOCKER, tree / "b"))[0]),
        "file-link-itself": Case({}, (1,), _link("loop", ".")),
        "file-link-up": Case({}, (1,), _link("up/up", "..")),
        "file-link-nowhere": Case({}, (2,), _link(COMPOSE, "missing.yaml")),
        "file-link-out": Case({}, (2,), _link(ENV, "../outside/secret.env")),
        "file-link-out-folder": Case({}, (1,), _link("deploy", "../outside")),
        "file-link-out-gitignore": Case({}, (1,), _link(".gitignore", "../outside/secret.env")),
        "file-link-out-package": Case({"next.config.js": "module.exports = {}\n"}, (1, 2), _link("package.json", "../outside/package.json")),
        "file-link-out-dockerignore": Case({DOCKER: "FROM node:24\nCOPY . .\n"}, (1, 2), _link(".dockerignore", "../outside/secret.env")),
        "file-link-out-config": Case({}, (2,), _link("elo-gate.toml", "../outside/elo-gate.toml")),
        "file-link-out-git": Case({}, (1,), _link(".git", "../outside")),
        "file-link-inside": Case({"deploy/real": "FROM node:24\nUSER root\n"}, (1,), _link(DOCKER, "deploy/real")),
        "file-links": Case({}, (1, 2), _links(3_000)),
        "file-unreadable": Case({ENV: "A=b\n"}, (1, 2), _mode(ENV, 0)),
        "file-unreadable-folder": Case({"deploy/" + ENV: "A=b\n"}, (1, 2), _mode("deploy", 0)),
        "file-unsearchable-folder": Case({"deploy/" + ENV: "A=b\n"}, (1, 2), _mode("deploy", 0o444)),
        "file-unreadable-config": Case({"elo-gate.toml": 'fail_on = "note"\n'}, (1, 2), _mode("elo-gate.toml", 0)),
        "file-folders": Case({f"{name}/x": "" for name in (DOCKER, ENV, COMPOSE, "vercel.json", "railway.toml", "next.config.js", "package.json", ".gitignore", "elo-gate.toml", ".dockerignore", "crontab", "pyproject.toml")}, (1,)),
        "file-empty": Case(dict.fromkeys((DOCKER, ENV, COMPOSE, WORKFLOW, K8S, "vercel.json", "railway.toml", "next.config.js", "package.json", ".gitlab-ci.yml", "crontab", "nginx.conf", "db/x.sql", "scripts/backup.sh", "elo-gate.toml", "docs/deploy-checklist.md", "src/middleware.ts"), ""), (2,)),
        "file-nuls": Case(lambda: {f"n{n}/{name}": text for name in (DOCKER, ENV, COMPOSE, "vercel.json", "railway.toml", "next.config.js", "nginx.conf", "crontab", "scripts/backup.sh", "db/production.sql", "src/middleware.ts", "docs/deploy-checklist.md") for n, text in enumerate((b"\0" * 1000, b"\xff\xfe\0\0", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc0\x80", b"\xf8\x88\x80\x80\x80", bytes(range(256)), b"\x1f\x8b\x08\0", b"%PDF", b"\x7fELF"))}, (2,)),
        "file-carriage-returns": Case({name: text.replace("\n", "\r\n") for name, text in {DOCKER: "FROM node:24\nRUN a \\\n  && b\nUSER 1\n", ENV: f"A=b\nSESSION_SECRET={SESSION}\n", COMPOSE: service("    user: root\n"), "vercel.json": '{\n "regions": [\n"iad1"]\n}\n', "railway.toml": "[deploy]\nstartCommand = 'x'\n", "scripts/backup.sh": "#!/bin/sh\npg_dump x\n", "nginx.conf": "events {}\nhttp {\n}\n", "crontab": "0 1 * * * x\n", "next.config.js": "module.exports = {\n}\n"}.items()}, (1, 2)),
        "file-old-line-ends": Case({name: text.replace("\n", "\r") for name, text in {DOCKER: "FROM node:24\nUSER 1\n", ENV: "A=b\nC=d\n", COMPOSE: service("    user: root\n"), "vercel.json": '{\n}\n', "railway.toml": "[deploy]\nstartCommand = 'x'\n", "scripts/backup.sh": "#!/bin/sh\npg_dump x\n"}.items()}, (1, 2)),
        "name-hostile": Case({f"n{n}/{name}": f"FROM node:24\nENV API_KEY={STRIPE}\nUSER root\n" for n, name in enumerate(names)}, (1, 2)),
        "name-hostile-folders": Case({f"{name.replace('/', '')}/{ENV}": f"SESSION_SECRET={SESSION}\nDATABASE_URL=postgres://a:{URL}@localhost/x\n" for name in names}, (1, 2)),
        "name-hostile-unjudged": Case({f"n{n}/{name}.txt": "x" for n, name in enumerate(names)} | {f"m{n}/{name}.md": "# Deploy checklist\n- [ ] x\n" for n, name in enumerate(names)}, (1,)),
        "name-hostile-broken": Case({f"n{n}/{name}": b"\xff\xfeFROM node" for n, name in enumerate(names)}, (2,)),
        "name-not-utf8": Case({bytes_name: "FROM node:24\nUSER root\n", f"{bytes_name}.d/{ENV}": f"SESSION_SECRET={SESSION}\n", os.fsdecode(b"\xff.txt"): "x", os.fsdecode(b"src/\xfe.ts"): "process.env.A\n"}, (1, 2)),
        "name-long": Case({f"{long}/{long}/{long}/{DOCKER}": "FROM node:24\nUSER root\n", f"{long}.env": "A=b\n", f"Dockerfile.{'x' * 240}": "FROM x\n"}, (1, 2)),
        "name-case": Case({"DOCKERFILE.Production": "FROM node:24\n", "Vercel.JSON": "{", ".ENV.production": "A=b\n", "COMPOSE.yaml": "services: [\n"}, (1, 2)),
        "tree-deep": Case({}, (1, 2), lambda tree: _deep(tree, 250)),
        "tree-deep-path": Case({f"{deep[:1_800]}/{DOCKER}": "FROM node:24\nUSER root\n"}, (1, 2)),
        "tree-20000-files": Case(lambda: {f"d{n // 200}/f{n}.txt": "" for n in range(20_000)}, (1,)),
        "tree-2000-env": Case(lambda: {f"a{n}/{ENV}": f"A{n}=b\nDATABASE_URL=postgres://a:{URL}@localhost/x\n" for n in range(1_000)}, (1, 2)),
        "tree-1500-dockerfiles": Case(lambda: {f"a{n}/{DOCKER}": "FROM node:24\nCOPY . .\nUSER root\n" for n in range(1_000)}, (1, 2)),
        "tree-3000-programs": Case(lambda: {f"src/a{n}.ts": f"export const x = process.env.NAME_{n}; import y from './a{n + 1}'\n" for n in range(3_000)} | {"next.config.js": "module.exports = {}\n", "package.json": '{"dependencies": {"next": "16.0.0"}}'}, (1, 2)),
        "tree-600-packages": Case(lambda: {f"apps/a{n}/{name}": text for n in range(300) for name, text in {"package.json": f'{{"name": "a{n}", "dependencies": {{"next": "16.0.0"}}}}', "next.config.js": "module.exports = {}\n", "vercel.json": '{"regions": ["iad1"]}', DOCKER: "FROM node:24\nUSER 1\n", COMPOSE: service("    build: .\n")}.items()}, (1, 2)),
        "tree-everything-aside": Case({f"tests/fixtures/x{n}/{DOCKER}": "FROM\n" for n in range(50)}, (1,)),
    }  # fmt: skip


def _deep(tree: Path, depth: int) -> None:
    """Folders deeper than a path may be long."""
    here = os.getcwd()
    os.chdir(tree)
    try:
        for _ in range(depth):
            os.mkdir("d" * 20)
            os.chdir("d" * 20)
        Path(DOCKER).write_text("FROM node:24\nUSER root\n")
    finally:
        os.chdir(here)


def _config() -> dict[str, Case]:
    own = "elo-gate.toml"
    rule = "id: own/{0}\ntitle: x\nseverity: error\nstandard: [CTR-2]\nkind: dockerfile\nselect: file\n{1}\nmessage: \"'{{it.x}}'.\"\nrationale: x\nfix: x\nreferences: []\nbad:\n- {{file: x}}\ngood:\n- {{file: y}}\n"
    hook = "#!/bin/sh\ntouch ../outside-was-executed\n"
    return {
        "config-broken": Case({own: "fail_on = \n"}, (2,)),
        "config-binary": Case({own: bytes(range(256))}, (2,)),
        "config-deep": Case(lambda: {own: "a = " + nest("[", "]", 50_000)}, (2,)),
        "config-large": Case(lambda: {own: "# " + "x" * (1 << 20)}, (2,)),
        "config-unknown": Case({own: f"\"\\u001b[31m\\n::set-env name=x::y ##[error] {STRIPE}\" = 1\n"}, (2,)),
        "config-values": Case({own: f"fail_on = \"\\u001b[2J\\n::stop-commands::x {PASSWORD}\"\n"}, (2,)),
        "config-secret": Case({own: f"platforms = [\"{STRIPE}\"]\n"}, (2,)),
        "config-both": Case({own: "", "pyproject.toml": "[tool.elo-gate]\n"}, (2,)),
        "config-pyproject-broken": Case({"pyproject.toml": "[tool.elo-gate\n"}, (2,)),
        "config-wrong-types": Case({own: 'exclude = "x"\n'}, (2,)),
        "config-rule-unknown": Case({own: '[rule."\\u001b[31m/x"]\nseverity = "off"\n'}, (2,)),
        "config-parameters": Case({own: '[rule."docker/root-user".with]\n"\\n::set-env::" = 1\n'}, (2,)),
        "config-many-rules": Case(lambda: {own: "".join(f'[rule."docker/x{n}"]\nseverity = "off"\n' for n in range(10_000))}, (2,)),
        "config-globs": Case(lambda: {own: "exclude = [" + ", ".join(f'"{"**/" * 60}{"*a" * 40}{n}"' for n in range(10)) + "]\n", **{f"{'a' * 60}/{'a' * 60}/{'a' * 200}{n}": "x" for n in range(20)}}, (1, 2)),
        "config-globs-environment": Case(lambda: {own: f'[[environment]]\nname = "production"\nfiles = ["{"*a" * 60}b", "{"**" * 60}b"]\n', f"{'a' * 200}/{ENV}": "A=b\n"}, (1, 2)),
        "config-extends-loop": Case({own: 'extends = ["a.toml"]\n', "a.toml": 'extends = ["elo-gate.toml"]\n'}, (2,)),
        "config-extends-bomb": Case({own: 'extends = ["l0.toml"]\n', **{f"l{n}.toml": "extends = [" + ", ".join([f'"l{n + 1}.toml"'] * 12) + "]\n" for n in range(8)}, "l8.toml": ""}, (1, 2)),
        "config-extends-outside": Case({own: 'extends = ["../outside/elo-gate.toml"]\n'}, (2,)),
        "config-extends-link": Case({own: 'extends = ["a.toml"]\n'}, (2,), _link("a.toml", "../outside/elo-gate.toml")),
        "config-extends-package": Case({own: 'extends = ["pkg:evil"]\n', "evil/__init__.py": "open('../outside/executed', 'w')\n", "evil/elo-gate.toml": 'fail_on = "error"\n'}, (2,)),
        "config-extends-fifo": Case({own: 'extends = ["a.toml"]\n'}, (2,), _fifo("a.toml")),
        "config-extends-zero": Case({own: 'extends = ["a.toml"]\n'}, (2,), _link("a.toml", "/dev/zero")),
        "config-baseline-fifo": Case({own: 'baseline = "b.json"\n'}, (2,), _fifo("b.json")),
        "config-baseline-zero": Case({own: 'baseline = "b.json"\n'}, (2,), _link("b.json", "/dev/zero")),
        "config-baseline-outside": Case({own: 'baseline = "../outside/baseline.json"\n'}, (2,)),
        "config-baseline-broken": Case(lambda: {own: 'baseline = "b.json"\n', "b.json": '{"version": 1, "accepted": ' + "[" * 100_000}, (2,)),
        "config-baseline-number": Case(lambda: {own: 'baseline = "b.json"\n', "b.json": '{"version": 1, "accepted": [{"rule": "a", "at": "b", "is": "c", "path": "d", "reason": "e", "count": ' + "9" * 5_000 + "}]}"}, (2,)),
        "config-baseline-many": Case(lambda: {own: 'baseline = "b.json"\n', "b.json": '{"version": 1, "accepted": [' + ",\n".join(f'{{"rule": "docker/root-user", "at": "x{n}", "is": "c", "path": "canary/Dockerfile.production", "reason": "e", "count": 99999999999}}' for n in range(50_000)) + "]}"}, (1, 2)),
        "config-baseline-merge": Case({own: 'baseline = "b.json"\n', "b.json": "<<<<<<< a\n"}, (2,)),
        "config-ignores-all": Case({own: '[[ignore]]\nrule = "docker/*"\npath = "**"\nreason = "x"\n'}, (2,)),
        "config-ignores-many": Case(lambda: {own: "".join(f'[[ignore]]\nrule = "docker/root-user"\npath = "{"**/" * 10}{"*a" * 10}{n}"\nreason = "x"\n' for n in range(3_000))}, (1, 2)),
        "config-rules-outside": Case({own: 'rules = ["../outside/rules"]\n'}, (2,)),
        "config-rules-missing": Case({own: 'rules = ["none"]\n'}, (2,)),
        "config-rules-deep": Case(lambda: {own: 'rules = ["rules"]\n', "rules/own/x.yaml": "[" * 30_000 + "]" * 30_000}, (2,)),
        "config-rules-bomb": Case(lambda: {own: 'rules = ["rules"]\n', "rules/own/x.yaml": merge_bomb(11)}, (2,)),
        "config-rules-alias-bomb": Case(lambda: {own: 'rules = ["rules"]\n', "rules/own/x.yaml": alias_bomb(30)}, (2,)),
        "config-rules-python": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "check: 'os:system'")}, (2,)),
        "config-rules-check": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "check: '../../evil:f'")}, (2,)),
        "config-rules-check-missing": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "check: 'nothing:f'")}, (2,)),
        "config-rules-expression": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "assert: \"__import__('os').system('id')\"")}, (2,)),
        "config-rules-attributes": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "assert: \"it.__class__.__mro__[1].__subclasses__()\"")}, (1, 2)),
        "config-rules-deep-expression": Case(lambda: {own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "assert: \"" + "(" * 150 + "it.x" + ")" * 150 + " and " + "not " * 20_000 + "it.y\"")}, (2,)),
        "config-rules-power": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "assert: \"9 * 9 ** 9 ** 9 ** 9 > 1 or 'a' * 9999999999 == 'b'\"")}, (2,)),
        "config-rules-multiply": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "assert: \"it.path * 999999999999 == 'b'\"")}, (1, 2)),
        "config-rules-regex": Case(lambda: {own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "assert: \"matches(it.text, '(a+)+$')\""), DOCKER: "FROM " + "a" * 5_000 + "!\n"}, (2,)),
        "config-rules-injection": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": rule.format("x", "assert: \"it.x\"\nwith: {\"a'); import os; os.system('id') #\": \"'''\\n\\\\\"}")}, (1, 2)),
        "config-rules-yaml-tag": Case({own: 'rules = ["rules"]\n', "rules/own/x.yaml": "!!python/object/apply:os.system ['id']\n"}, (2,)),
        "config-rules-fifo": Case({own: 'rules = ["rules"]\n', "rules/own/y.yaml": ""}, (2,), _fifo("rules/own/x.yaml")),
        "config-rules-zero": Case({own: 'rules = ["rules"]\n', "rules/own/y.yaml": ""}, (2,), _link("rules/own/x.yaml", "/dev/zero")),
        "config-rules-link": Case({own: 'rules = ["rules"]\n'}, (2,), _link("rules", "../outside/rules")),
        "config-rules-large": Case(lambda: {own: 'rules = ["rules"]\n', "rules/own/x.yaml": "# " + "x" * (12 << 20)}, (2,)),
        "git-hostile": Case({".git/HEAD": "ref: refs/heads/x\n", ".git/config": "[core]\n\tfsmonitor = ../hook\n\thooksPath = hooks\n\tpager = ../hook\n\tsshCommand = ../hook\n[diff]\n\texternal = ../hook\n[include]\n\tpath = ../../outside/secret.env\n[filter \"x\"]\n\tclean = ../hook\n\tsmudge = ../hook\n[alias]\n\trev-parse = !../hook\n[core]\n\tworktree = ../../outside\n", ".git/hooks/post-checkout": hook, ".git/info/exclude": "[" * 10_000 + "\n" + "**/" * 5_000 + "x\n", ".gitattributes": "* filter=x diff=x\n", "hook": hook, ".git/objects/x": "", ".git/refs/heads/x": "0" * 40}, (1,)),
        "git-index-count": Case(lambda: {".git/HEAD": "", ".git/index": index([b"canary/Dockerfile.production"], count=4_000_000_000)}, (1,)),
        "git-index-prefixes": Case(lambda: {".git/HEAD": "", ".git/index": compressed_index()}, (1,)),
        "git-index-number": Case(lambda: {".git/HEAD": "", ".git/index": b"DIRC" + struct.pack(">II", 4, 1) + b"\0" * 62 + b"\xff" * 1_000_000}, (1,)),
        "git-index-large": Case({".git/HEAD": ""}, (1,), lambda tree: os.truncate(_touch(tree / ".git/index"), 400 << 20)),
        "git-index-names": Case(lambda: {".git/HEAD": "", ".gitignore": "x*/\n", ".git/index": index([b"n%06d" % n for n in range(60_000)]), **{f"x{n}/a": "" for n in range(1_500)}}, (1,)),
        "git-index-fifo": Case({".git/HEAD": ""}, (1,), _fifo(".git/index")),
        "git-index-broken": Case({".git/HEAD": "", ".git/index": b"DIRC\0\0\0\2\0\0\0\xff" + b"\xff" * 500}, (1,)),
        "git-file": Case({".git": "gitdir: ../outside\n"}, (1,)),
        "git-exclude-zero": Case({".git/HEAD": ""}, (1,), _link(".git/info/exclude", "/dev/zero")),
        "git-config-ignores-everything": Case({".git/HEAD": "", ".gitignore": "*\n", ".git/index": index([each.encode() for each in CANARY])}, (1, 2)),
        "python-modules": Case({f"{name}{end}": "open('../outside-was-executed', 'w').write('x')\nraise SystemExit(0)\n" for name in ("sitecustomize", "usercustomize", "yaml", "click", "elo_gate", "conftest", "tree_sitter", "tree_sitter_bash", "re", "json", "pydantic", "tomli", "_yaml", "encodings") for end in (".py", "/__init__.py")} | {"elo_gate.pth": "import os; os.system('id')\n", "setup.py": "raise SystemExit(0)\n", "pyvenv.cfg": "home = /tmp\n"}, (1,)),
    }  # fmt: skip


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"DIRC\0\0\0\4\xff\xff\xff\xff")
    return path


def _secrets() -> dict[str, Case]:
    """Secrets beside findings, in every kind, in every form in which they are written."""
    import base64

    coded = base64.b64encode(PASSWORD.encode()).decode()
    coded_url = base64.b64encode(f"postgresql://a:{URL}@db/x".encode()).decode()
    pem = (
        "-----BEGIN RSA PRIVATE KEY-----\n"
        + "\n".join(AWS + SESSION for _ in range(3))
        + "\n-----END RSA PRIVATE KEY-----\n"
    )

    def indented(text: str, by: int) -> str:
        return "".join(" " * by + line + "\n" for line in text.splitlines())

    return {
        "secret-env": Case({ENV: f"NEXT_PUBLIC_STRIPE={STRIPE} # old: {GITHUB}\nexport DATABASE_URL='postgres://a:{URL}@localhost:5432/x?password={PASSWORD}'\nPASSWORD = {PASSWORD}\nJWT_SECRET: {SESSION}\nA={PASSWORD}{GITHUB}\nKEY=\"{pem}\"\n{NPM}\nB64_SECRET={coded}\nREDIS_URL=redis://:{URL}@h\nSMTP_URL=smtp://u%40x:{URL}@h:25\nDB_PASSWORD=${{X:-{PASSWORD}}}\n"}, (1, 2)),
        "secret-compose": Case({COMPOSE: service(f"    environment:\n    - API_PASSWORD={PASSWORD}\n    - DATABASE_URL=postgres://a:{URL}@db/x\n    - STRIPE={STRIPE}\n    command: [sh, -c, 'mysql -p{PASSWORD} -u root', '--token={GITHUB}']\n    healthcheck: {{test: 'curl -u admin:{PASSWORD} http://localhost/ && redis-cli -a {PASSWORD} ping'}}\n    labels: {{traefik.auth: 'admin:{PASSWORD}'}}\n    build: {{args: {{NPM_TOKEN: {NPM}, SECRET: '{SESSION}'}}}}\n  db:\n    image: postgres:latest\n    ports: ['5432:5432']\n    environment: {{POSTGRES_PASSWORD: {PASSWORD}, POSTGRES_INITDB_ARGS: '--pwfile={PASSWORD}'}}\n")}, (1, 2)),
        "secret-k8s": Case({K8S: deployment(f"        env:\n        - {{name: API_PASSWORD, value: {PASSWORD}}}\n        - name: DATABASE_URL\n          value: postgres://a:{URL}@db/x\n        - name: STRIPE\n          value: >-\n            {STRIPE}\n        args: ['--password', '{PASSWORD}', '--token={GITHUB}']\n        livenessProbe: {{httpGet: {{path: '/health?token={SESSION}', port: 1, httpHeaders: [{{name: Authorization, value: 'Bearer {GITHUB}'}}]}}}}\n") + f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s, annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{{\"stringData\":{{\"password\":\"{PASSWORD}\"}}}}'}}}}\ndata:\n  password: {coded}\n  url: {coded_url}\n  key: |\n    {coded}\nstringData: {{token: {GITHUB}, plain: {PASSWORD}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{DB_PASSWORD: {PASSWORD}, .env: \"SESSION_SECRET={SESSION}\\nA={STRIPE}\", id_rsa: \"{AWS}\", tls.key: |\n" + indented(pem, 4)}, (1, 2)),
        "secret-k8s-block": Case({K8S: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  tls.key: |\n" + indented(pem, 4) + f"  app.conf: |\n    password = {PASSWORD}\n    url = postgres://a:{URL}@db/x\n"}, (1, 2)),
        "secret-workflow": Case({WORKFLOW: workflow(f"env:\n  API_PASSWORD: {PASSWORD}\n  DATABASE_URL: postgres://a:{URL}@db/x\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    services: {{db: {{image: postgres, env: {{POSTGRES_PASSWORD: {PASSWORD}}}}}}}\n    steps:\n    - uses: a/b@v1\n      with: {{token: {GITHUB}, password: '{PASSWORD}'}}\n    - run: |\n        curl -H \"Authorization: Bearer {GITHUB}\" https://u:{URL}@h/ -d '{{\"password\": \"{PASSWORD}\"}}'\n        vercel --prod --token {SESSION}\n        docker login -u x -p {PASSWORD}\n        echo {STRIPE} | vercel env add X production\n        export NPM_TOKEN={NPM}; sshpass -p {PASSWORD} ssh h; PGPASSWORD={PASSWORD} psql\n    - run: echo '${{{{ github.event.issue.title }}}}' {STRIPE}\n")}, (1, 2)),
        "secret-gitlab": Case({".gitlab-ci.yml": f"variables:\n  API_PASSWORD: {PASSWORD}\n  X: {{value: '{GITHUB}', description: y}}\ndeploy:\n  image: node\n  script:\n  - vercel --prod --token {SESSION}\n  - curl -u x:{PASSWORD} https://a:{URL}@h\n  - 'echo {STRIPE}'\n"}, (1, 2)),
        "secret-next": Case({"next.config.js": f"const secret = '{SESSION}'\nmodule.exports = {{env: {{API_SECRET: '{PASSWORD}', STRIPE: `{STRIPE}`, X: secret}}, images: {{remotePatterns: [{{hostname: '**'}}], domains: ['u:{URL}@h']}}, async headers() {{ return [{{source: '/:p*', headers: [{{key: 'X-Api-Key', value: '{GITHUB}'}}, {{key: 'Authorization', value: 'Basic {coded}'}}]}}] }}, publicRuntimeConfig: {{password: '{PASSWORD}'}}}} // {NPM}\n"}, (1, 2)),
        "secret-vercel": Case({"vercel.json": json.dumps({"env": {"API_PASSWORD": PASSWORD, "DATABASE_URL": f"postgres://a:{URL}@localhost/x", "A": STRIPE}, "build": {"env": {"NPM_TOKEN": NPM}}, "buildCommand": f"TOKEN={SESSION} npm run build --token {GITHUB}", "crons": [{"path": f"/api/cron?secret={SESSION}", "schedule": "x"}], "headers": [{"source": "/(.*)", "headers": [{"key": "Authorization", "value": f"Bearer {GITHUB}"}, {"key": "Set-Cookie", "value": f"session={SESSION}"}]}], "rewrites": [{"source": "/x", "destination": f"https://u:{URL}@h/?api_key={PASSWORD}"}], STRIPE: 1})}, (1, 2)),
        "secret-vercel-one-key": Case({"vercel.json": '{"env":{"API_PASSWORD":"' + PASSWORD + '","B":"' + STRIPE + '"},"regions":["xxx1"],"unknown":1}'}, (1, 2)),
        "secret-railway": Case({"railway.toml": f"[build]\nbuildCommand = 'NPM_TOKEN={NPM} npm ci'\n[deploy]\nstartCommand = \"API_PASSWORD={PASSWORD} node s.js --token {GITHUB}\"\nhealthcheckPath = 'health?token={SESSION}'\npassword = '{PASSWORD}'\n\"{STRIPE}\" = 1\n"}, (1, 2)),
        "secret-script": Case({"scripts/backup.sh": f"#!/bin/sh\nexport PGPASSWORD={PASSWORD}\npg_dump postgresql://a:{URL}@db/x > /tmp/x.sql\nAWS_SECRET_ACCESS_KEY='{AWS}' aws s3 cp x s3://y\ncurl -H 'Authorization: Bearer {GITHUB}' -d \"password={PASSWORD}\" http://h\nmysqldump -p{PASSWORD} x\nSLACK=https://hooks.slack.com/services/T00000000/B00000000/{SESSION}\nrm -rf $X # {STRIPE}\ncat > ~/.pgpass <<EOF\ndb:5432:x:a:{PASSWORD}\nEOF\n"}, (1, 2)),
        "secret-sql": Case({"db/production.sql": f"CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}';\nALTER USER x WITH ENCRYPTED PASSWORD $${PASSWORD}$$;\nCREATE USER MAPPING FOR a SERVER b OPTIONS (user 'x', password '{PASSWORD}');\nCREATE SUBSCRIPTION s CONNECTION 'host=h password={PASSWORD}' PUBLICATION p;\nGRANT ALL ON DATABASE shop TO PUBLIC; -- {STRIPE}\nINSERT INTO keys VALUES ('{GITHUB}');\nCREATE DATABASE shop OWNER shop;\n"}, (1, 2)),
        "secret-nginx": Case({"nginx/nginx.conf": f"events {{}}\nhttp {{ server {{ listen 443 ssl; ssl_protocols SSLv3; proxy_set_header Authorization 'Bearer {GITHUB}'; proxy_set_header X-Api-Key {SESSION}; location / {{ proxy_pass http://u:{URL}@web:3000; add_header X-Token {STRIPE}; if ($http_x_secret != '{PASSWORD}') {{ return 403; }} }} }} }}\n"}, (1, 2)),
        "secret-cron": Case({"crontab": f"API_PASSWORD={PASSWORD}\n0 3 * * * root PGPASSWORD={PASSWORD} pg_dump postgres://a:{URL}@db/x > /b/x; curl 'https://h/ping?token={SESSION}' -H 'Authorization: Bearer {GITHUB}'\n* * * * root {STRIPE}\n"}, (1, 2)),
        "secret-checklist": Case({"docs/deploy-checklist.md": f"# Deploy checklist\n- [ ] password is {PASSWORD}\n- [ ] STRIPE_SECRET_KEY={STRIPE}\n- [ ] DATABASE_URL: `postgres://a:{URL}@db/x`\n| TOKEN | {GITHUB} |\n```\nexport SECRET={SESSION}\n```\n- [ ] npm test\n"}, (1, 2)),
        "secret-code": Case({"src/middleware.ts": f"import {{ NextResponse }} from 'next/server'\nconst password = '{PASSWORD}'\nexport function middleware() {{\n  const r = NextResponse.next()\n  r.headers.set('X-Api-Key', '{STRIPE}')\n  r.headers.set('Content-Security-Policy', \"script-src 'unsafe-inline' https://u:{URL}@h 'nonce-{SESSION}'\")\n  return r\n}}\n", "src/app/api/health/route.ts": f"export async function GET() {{ return Response.json({{env: process.env, key: '{GITHUB}'}}) }}\n", "package.json": '{"dependencies": {"next": "15.0.0"}, "scripts": {"deploy": "vercel --token ' + SESSION + '"}}', "next.config.js": "module.exports = {}\n"}, (1, 2)),
        "secret-cloud": Case({"task-definition.json": json.dumps({"containerDefinitions": [{"name": "a", "image": "a:latest", "environment": [{"name": "API_PASSWORD", "value": PASSWORD}, {"name": "DATABASE_URL", "value": f"postgres://a:{URL}@h/x"}, {"name": "A", "value": STRIPE}], "command": ["--token", GITHUB]}]}), "apprunner.yaml": f"version: 1.0\nruntime: nodejs18\nrun:\n  command: node x --token {GITHUB}\n  env: [{{name: SECRET_KEY, value: {SESSION}}}]\n", "service.yaml": f"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{template: {{spec: {{containers: [{{image: a, env: [{{name: API_TOKEN, value: {SESSION}}}]}}]}}}}}}\n", "cloudbuild.yaml": f"steps: [{{name: a, args: ['--password={PASSWORD}'], env: ['TOKEN={GITHUB}']}}]\n", "buildspec.yml": f"version: 0.2\nenv: {{variables: {{API_PASSWORD: {PASSWORD}}}}}\nphases: {{build: {{commands: ['docker login -p {PASSWORD}']}}}}\n", "azure-pipelines.yml": f"variables: {{API_PASSWORD: {PASSWORD}}}\nsteps: [{{script: 'az login -p {PASSWORD} --token {GITHUB}'}}]\n"}, (1, 2)),
        "secret-identifiers": Case({COMPOSE: f"services:\n  {STRIPE}:\n    image: '{GITHUB}:latest'\n    user: '{NPM}'\n    {STRIPE}: x\n", K8S: deployment("").replace("name: web", f"name: {STRIPE}"), WORKFLOW: workflow(f"jobs:\n  {GITHUB}:\n    runs-on: {NPM}\n    steps: [{{uses: '{STRIPE}/x@v1'}}, {{run: vercel --prod}}]\n"), DOCKER: f"FROM {GITHUB}:latest AS {STRIPE}\nUSER {NPM}\nEXPOSE {STRIPE}\n", ENV: f"{STRIPE}=1\nNEXT_PUBLIC_{GITHUB}=x\nDATABASE_URL=mysql://{STRIPE}@{GITHUB}/{NPM}\n"}, (1, 2)),
        "secret-broken-files": Case({ENV: f"SECRET_KEY={STRIPE}\n'{PASSWORD}\n", COMPOSE: f"services:\n  web: [\n    password: {PASSWORD}\n", "vercel.json": '{"env": {"API_PASSWORD": "' + PASSWORD, "railway.toml": f"[deploy]\nstartCommand = \"TOKEN={GITHUB}\nx = {STRIPE}\n", "next.config.js": f"module.exports = {{ secret: '{SESSION}\n", "scripts/backup.sh": f"#!/bin/sh\npg_dump '{PASSWORD}\n", "nginx.conf": f"http {{ proxy_set_header Authorization 'Bearer {GITHUB}\n", "db/production.sql": f"CREATE ROLE a PASSWORD '{PASSWORD}\n"}, (2,)),
        "secret-multiline": Case({ENV: f"KEY='{pem}'\nDATABASE_URL=postgres://a:{URL}@localhost/x\n", DOCKER: f"FROM node:24\nENV API_PASSWORD \\\n  {PASSWORD}\nENV TOKEN=\\\n{GITHUB}\nRUN --mount=type=secret,id=x <<EOF\nexport SECRET_KEY={SESSION}\nEOF\nUSER root\n", COMPOSE: service(f"    environment:\n      API_PASSWORD: >-\n        {PASSWORD}\n      KEY: |\n" + indented(pem, 8) + f"      TOKEN:\n        {GITHUB}\n      ? SECRET_KEY\n      : {SESSION}\n")}, (1, 2)),
        "secret-long-line": Case(lambda: {"vercel.json": '{"env": {"A": "' + "x" * 5_000 + '", "API_PASSWORD": "' + PASSWORD + '", "B": "' + STRIPE + '"}, "regions": ["zzz1"], "c": "' + "y" * 5_000 + '"}'}, (1, 2)),
        "secret-unicode": Case({ENV: f"PАSSWORD={STRIPE}\nＰＡＳＳＷＯＲＤ={GITHUB}\nSENHA={PASSWORD}\nİPASSWORD={PASSWORD}\nAPI\u200b_KEY={STRIPE}\n"}, (1, 2)),
        "secret-custom-rule": Case({"elo-gate.toml": 'rules = ["rules"]\n', "rules/own/x.yaml": "id: own/x\ntitle: x\nseverity: error\nstandard: [CTR-2]\nkind: dockerfile\nselect: final_stage\nassert: it.x\nmessage: \"'{it.env}' '{it.user.name}' '{it}'.\"\nrationale: x\nfix: x\nreferences: [{title: x, url: 'https://x.example/', date: 2026-11-25}]\nbad:\n- {why: x, file: \"FROM x\\n\", at: 1}\ngood:\n- {file: \"FROM y\\n\"}\n"}, (1, 2)),
    }  # fmt: skip


# A line of each kind, `@` where its author may write what he likes.
LINES = {
    ".env.production": "DATABASE_URL=@\nA_TOKEN='@'\n@\n# @\n",
    "Dockerfile.production": "FROM node:24 # @\nENV A=@\nRUN @\nLABEL a=\"@\"\nCOPY @ /x\nHEALTHCHECK CMD @\nUSER 1\n",
    "compose.production.yaml": "services:\n  web:\n    image: '@'\n    command: '@'\n    ports: ['@']\n    healthcheck: {test: '@'}\n    environment: {DATABASE_URL: '@', A: '@'}\n",
    "k8s/production/app.yaml": deployment("        command: [sh, -c, '@']\n        env: [{name: A, value: '@'}]\n        resources: {limits: {cpu: '@', memory: '@'}}\n"),
    ".github/workflows/production.yml": "on: push\njobs:\n  ship:\n    if: '@'\n    runs-on: x\n    steps:\n    - uses: '@'\n    - run: |\n        vercel --prod @\n        @\n",
    ".gitlab-ci.yml": "ship:\n  image: '@'\n  script: ['vercel --prod @', '@']\n  rules: [{if: '@'}]\n",
    "next.config.js": "module.exports = { async headers() { return [{ source: '@', headers: [{ key: 'Content-Security-Policy', value: '@' }] }] }, env: { A: `@` } } // @\n",
    "src/app/api/x/route.ts": "import { a } from '@'\nexport async function POST(r: Request) { await fetch('@'); const s = `@`; return Response.json('@') } // @\n",
    "vercel.json": '{"buildCommand": "@", "crons": [{"path": "@", "schedule": "@"}], "headers": [{"source": "@", "headers": [{"key": "Content-Security-Policy", "value": "@"}]}]}\n',
    "railway.toml": "[deploy]\nstartCommand = '@'\nhealthcheckPath = '@'\n",
    "scripts/backup.sh": "#!/bin/sh\npg_dump @\n@\necho '@' | gzip > @\n# @\n",
    "db/production.sql": "CREATE ROLE a PASSWORD '@';\n-- @\nGRANT @;\n",
    "nginx/nginx.conf": "events {}\nhttp { server { server_name @; location '@' { proxy_pass '@'; add_header X '@'; } } } # @\n",
    "crontab": "A=@\n0 3 * * * root @\n",
    "docs/deploy-checklist.md": "# Deploy checklist\n\n- [ ] @\n\n| @ |\n\n`@` [@](@)\n",
    "azure-pipelines.yml": "steps: [{script: '@'}]\n",
    "package.json": '{"dependencies": {"next": "@"}, "scripts": {"build": "@"}, "engines": {"node": "@"}}\n',
    "elo-gate.toml": "exclude = ['@']\n[[ignore]]\nrule = 'docker/root-user'\npath = '@'\nreason = '@'\n",
}  # fmt: skip
# What patterns that look twice at the same letters stumble over.
PUMPS = (
    "a",
    "1",
    " ",
    "a ",
    "a_",
    "/a",
    "-",
    ".",
    "a.",
    "$a",
    "${A}",
    "=",
    "a=",
    "(",
    "aA1",
    "a,",
    "https://",
    "password ",
    "@",
    "#",
    "{",
    "--a=",
    "0:",
    "sk-",
    "\\\\",
)


def _numbered(path: str, number: int) -> str:
    """Another file of the same kind: workflows lie in one folder, others anywhere."""
    if path.startswith(".github/"):
        return path.replace("production", f"production-{number}")
    return f"p{number}/{path}"


def _lines() -> dict[str, Case]:
    """One kind a case: lines of 200 kB in all, made of one thing again and again, in every place of it."""
    found = {}
    for path, text in LINES.items():
        places = text.count("@")

        def files(path: str = path, text: str = text, places: int = places) -> Files:
            # A configuration is one; of other kinds there may be many.
            pumps = PUMPS[:1] if path == "elo-gate.toml" else PUMPS
            size = 200_000 // places if path != "elo-gate.toml" else 50_000
            return {
                _numbered(path, at) if len(pumps) > 1 else path: text.replace("@", pump * (size // len(pump)))
                for at, pump in enumerate(pumps)
            }

        found[f"line-{path.strip('.').replace('/', '-').replace('.', '-').lower()}"] = Case(files, (1, 2))
    return found


def cases() -> dict[str, Case]:
    """Every case by name; the begin of a name, up to its first hyphen, is what it is about."""
    found: dict[str, Case] = {}
    for group in (_yaml, _json, _toml, _env, _docker, _code, _shell, _others, _files, _config, _lines, _secrets):
        found.update(group())
    return found


def write_outside(beside: Path) -> None:
    """What lies outside of the tree, with a secret of its own: nobody is to read it."""
    outside = beside / "outside"
    outside.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "secret.env": f"API_PASSWORD={PASSWORD}\nNEXT_PUBLIC_OUTSIDE_WAS_READ=1\n", "compose.yaml": service("    user: outside-was-read\n"),
        "package.json": '{"dependencies": {"next": "1.0.0"}}', "elo-gate.toml": 'fail_on = "error"\nexclude = ["**"]\n',
        "baseline.json": '{"version": 1, "accepted": [null]}', "config.js": "module.exports = {}\n", "HEAD": "", "index": "",
        "Dockerfile.production": "FROM outside-was-read\n", "x.sh": "outside-was-read\n", "rules/own/x.yaml": "id: own/x\n", "x.yml": "a: b\n", "x.conf": "a b;\n",
    }.items():  # fmt: skip
        path = outside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
