"""The headers of responses: which layers a target has, what each sets, what is present, absent or unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elo_gate import gate
from elo_gate.examples import MemoryIgnores, MemoryTree
from elo_gate.project import Project, headers

HSTS, CSP, XFO, NOSNIFF = headers.TRANSPORT, headers.POLICY, headers.FRAMES, "x-content-type-options"


def project(files: dict[str, str], platforms: tuple[str, ...] = ()) -> Project:
    tables: dict[str, Any] = {}
    found = Project(MemoryTree(files), "2026-11-25", tables.get, platforms=platforms, ignores=MemoryIgnores(files))
    found.look()
    return found


def one(files: dict[str, str], platforms: tuple[str, ...] = ()) -> headers.Target:
    (found,) = headers.targets(project(files, platforms))
    return found


def states(target: headers.Target) -> dict[str, str]:
    return {name: target.state(name).word for name in headers.NAMES}


NEXT = {"next.config.js": "module.exports = {}"}
DOCKERFILE = {"Dockerfile": 'FROM node:24-alpine\nCMD ["node", "server.js"]\n'}
COMPOSE = """services:
  web:
    build: .
  proxy:
    image: nginx:1.30
    volumes: ["./nginx.conf:/etc/nginx/conf.d/default.conf:ro"]
"""


def test_nothing_set_is_absent_everywhere() -> None:
    target = one(NEXT)
    assert target.name == "" and set(states(target).values()) == {"absent"}


def test_vercel_sends_hsts_untold() -> None:
    target = one(
        {
            **NEXT,
            "vercel.json": '{"headers": [{"source": "/(.*)", "headers": [{"key": "X-Frame-Options", "value": "DENY"}]}]}',
        }
    )
    assert target.name == "vercel"
    assert (target.state(HSTS).word, target.state(XFO).word, target.state(CSP).word) == ("present", "present", "absent")
    assert target.state(HSTS).why


def test_a_program_of_vercel_is_read() -> None:
    text = (
        'export const config = { headers: [{ source: "/(.*)", headers: [{ key: "X-Frame-Options", value: "DENY" }] }] }'
    )
    assert one({**NEXT, "vercel.ts": text}, ("vercel",)).state(XFO).word == "present"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("add_header X-Frame-Options DENY always; location / { proxy_pass http://web:3000; }", "present"),
        ("location / { add_header X-Frame-Options DENY; proxy_pass http://web:3000; }", "present"),
        ("location / { proxy_pass http://web:3000; } location /a/ { add_header X-Frame-Options DENY; proxy_pass http://web:3000; }", "partial"),
        ("add_header X-Frame-Options DENY; location / { add_header X-Other 1; proxy_pass http://web:3000; }", "absent"),
        ("add_header X-Frame-Options DENY; location / { proxy_pass http://api:8080; }", "unknown"),
        ("include /etc/nginx/shared/*.conf; location / { proxy_pass http://web:3000; }", "unknown"),
        ("location / { proxy_pass http://web:3000; }", "absent"),
    ],
)  # fmt: skip
def test_nginx_in_front_of_compose(server: str, expected: str) -> None:
    files = {
        **NEXT,
        **DOCKERFILE,
        "compose.production.yaml": COMPOSE,
        "nginx.conf": f"server {{ listen 443 ssl; {server} }}",
    }
    target = one(files)
    assert (target.name, target.state(XFO).word) == ("docker", expected)


def test_a_redirecting_server_needs_none() -> None:
    text = "server { listen 80; return 301 https://$host$request_uri; }\nserver { listen 443 ssl; add_header X-Frame-Options DENY; location / { proxy_pass http://web:3000; } }"
    assert (
        one({**NEXT, **DOCKERFILE, "compose.production.yaml": COMPOSE, "nginx.conf": text}).state(XFO).word == "present"
    )


def test_the_configuration_of_a_proxy_that_is_not_here() -> None:
    target = one({**NEXT, **DOCKERFILE, "compose.production.yaml": COMPOSE})
    assert target.state(XFO).word == "unknown" and "proxy" in target.state(XFO).why


INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    {annotations}
spec:
  ingressClassName: {name}
  tls: [{{hosts: [a.example.com], secretName: t}}]
  rules:
    - host: a.example.com
      http:
        paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]
"""
SNIPPET = """nginx.ingress.kubernetes.io/configuration-snippet: |
      # comes with every answer
      more_set_headers "X-Frame-Options: DENY" "X-Content-Type-Options: nosniff";
      add_header Referrer-Policy same-origin always;"""


def ingress(annotations: str = "a: b", name: str = "nginx", more: str = "") -> headers.Target:
    return one({**NEXT, "k8s/production/web.yaml": INGRESS.format(annotations=annotations, name=name) + more})


def test_a_snippet_of_an_ingress() -> None:
    target = ingress(SNIPPET)
    assert target.name == "kubernetes"
    assert (target.state(XFO).word, target.state(NOSNIFF).word, target.state(CSP).word) == (
        "present",
        "present",
        "absent",
    )
    (found,) = target.state("referrer-policy").headers
    source = found.value.source
    assert source.text[found.value.start : found.value.end] == "same-origin" and found.adds
    assert source.position(found.key.start)[0] == 9 and source.path == "k8s/production/web.yaml"
    (frames,) = target.state(XFO).headers
    assert frames.value.value == "DENY" and frames.shown == "x-frame-options" and not frames.adds


def test_hsts_by_default_is_ingress_nginx_alone() -> None:
    assert ingress().state(HSTS).word == "unknown" and ingress().state(XFO).word == "absent"
    assert ingress(name="alb").state(HSTS).word == "absent"
    assert ingress("nginx.org/websocket-services: web").state(HSTS).word == "absent"


def test_custom_headers_come_from_a_config_map() -> None:
    annotation = "nginx.ingress.kubernetes.io/custom-headers: prod/extra"
    assert ingress(annotation).state(XFO).word == "unknown"
    more = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {X-Frame-Options: DENY}\n"
    assert ingress(annotation, more=more).state(XFO).word == "present"
    assert ingress(annotation, more=more).state(NOSNIFF).word == "absent"


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ("", "present"),
        ("matches: [{path: {type: PathPrefix, value: /}}]", "present"),
        ("matches: [{path: {value: /a}}]", "partial"),
    ],
)
def test_filters_of_a_route(matches: str, expected: str) -> None:
    text = f"""apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: web}}
spec:
  parentRefs: [{{name: public}}]
  rules:
    - backendRefs: [{{name: web, port: 80}}]
      {matches}
      filters:
        - type: ResponseHeaderModifier
          responseHeaderModifier:
            set: [{{name: X-Frame-Options, value: DENY}}]
"""
    target = one({**NEXT, "k8s/production/web.yaml": text})
    assert target.state(XFO).word == expected and target.state(HSTS).word == "absent"


def test_a_static_web_app() -> None:
    text = '{"globalHeaders": {"X-Frame-Options": "DENY"}, "routes": [{"route": "/a", "headers": {"X-A": "1"}}]}'
    target = one({**NEXT, "staticwebapp.config.json": text})
    assert (target.name, target.state(XFO).word, target.state("x-a").word) == ("azure", "present", "partial")


def test_declared_platforms_are_the_targets() -> None:
    found = headers.targets(project(NEXT, ("railway", "vercel")))
    assert [(each.name, each.state(HSTS).word) for each in found] == [("railway", "absent"), ("vercel", "present")]


def test_two_applications_are_kept_apart() -> None:
    files = {
        **{f"apps/{name}/package.json": f'{{"name": "{name}", "dependencies": {{"next": "16.3.3"}}}}' for name in "ab"},
        "apps/a/next.config.js": 'module.exports = { headers: async () => [{ source: "/:path*", headers: [{ key: "X-Frame-Options", value: "DENY" }] }] }',
        "apps/b/next.config.js": "module.exports = {}",
    }  # fmt: skip
    found = headers.targets(project(files))
    assert [(each.application.path, each.state(XFO).word) for each in found] == [
        ("apps/a/next.config.js", "present"), ("apps/b/next.config.js", "absent"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('const headers = new Headers(request.headers); headers.set("X-Frame-Options", "DENY"); return NextResponse.next({ request: { headers } })', "absent"),
        ('request.headers.set("X-Frame-Options", "DENY"); return NextResponse.next()', "absent"),
        ('const asked = new Headers(request.headers); asked.set("X-Frame-Options", "DENY"); return NextResponse.next({ request: { headers: asked } })', "absent"),
        ('const response = NextResponse.next(); response.headers.set("X-Frame-Options", "DENY"); return response', "present"),
        ('return NextResponse.next({ headers: { "X-Frame-Options": "DENY" } })', "present"),
        ('const headers = new Headers(); headers.set("X-Frame-Options", "DENY"); return NextResponse.next({ headers })', "unknown"),
        ('const response = NextResponse.next(); response.cookies.set("X-Frame-Options", "DENY"); return response', "absent"),
    ],
)  # fmt: skip
def test_what_a_proxy_asks_is_not_what_it_answers(body: str, expected: str) -> None:
    text = f'import {{ NextResponse }} from "next/server"\nexport function proxy(request) {{ {body} }}'
    assert one({**NEXT, "proxy.ts": text}).state(XFO).word == expected


def test_the_model_is_printable() -> None:
    files = {**NEXT, "vercel.json": '{"headers": [{"source": "/a", "headers": [{"key": "X-A", "value": "1"}]}]}'}
    (item,) = headers.items(project(files))
    assert (item.facts["target"], item.facts["application"], item.facts["doubts"]) == ("vercel", "next.config.js", [])
    found = {each.facts["name"]: each for each in item.facts["headers"]}
    assert list(found) == [*headers.NAMES, "x-a"]
    assert found["x-a"].facts["state"] == "partial"
    (value,) = found["x-a"].facts["values"]
    assert (value.node.value, value.facts["path"], value.facts["covers"], value.facts["source"].value) == (
        "1",
        "vercel.json",
        "some",
        "/a",
    )


def test_the_guide(guide: Path) -> None:
    run = gate.run(str(guide), as_of="2026-11-25")
    found = {each.name: states(each) for each in headers.targets(run.project)}
    same = dict.fromkeys(headers.NAMES, "present")
    assert found == {
        "vercel": same,
        "railway": {**same, HSTS: "absent"},
        "docker": {**same, HSTS: "unknown"},
        "kubernetes": {**same, HSTS: "unknown"},
    }
    said = {
        (each.source.path, each.source.position(each.start)[0], each.rule.id.partition("/")[2], each.severity)
        for each in run.verdict.findings
        if each.rule.id.startswith("headers/")
    }
    assert said == {
        ("next.config.js", 24, "missing-headers", "warning"),
        ("next.config.js", 26, "duplicate-header", "warning"),
        ("next.config.js", 35, "weak-header", "warning"),
        ("src/middleware.ts", 16, "csp-missing-directive", "warning"),
        ("src/middleware.ts", 19, "csp-unsafe-inline", "error"),
        ("src/middleware.ts", 19, "csp-unsafe-eval", "error"),
        ("src/middleware.ts", 19, "csp-blocks-sdk", "warning"),
        ("src/middleware.ts", 20, "csp-inline-style", "note"),
        ("src/middleware.ts", 21, "csp-any-host", "note"),
        ("src/middleware.ts", 23, "csp-blocks-sdk", "error"),
    }


def test_the_hook_judges_a_configuration_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from elo_gate import hook

    (tmp_path / "next.config.js").write_text(
        'module.exports = { headers: async () => [{ source: "/:path*", headers: [\n'
        "  { key: \"Content-Security-Policy\", value: \"default-src 'self' 'unsafe-eval'\" },\n"
        '  { key: "Referrer-Policy", value: "unsafe-url" },\n'
        "] }] }\n"
    )
    monkeypatch.chdir(tmp_path)
    assert hook.run(["next.config.js"]) == 1
    words = capsys.readouterr().out
    assert words.count("headers/csp-unsafe-eval") == 1 and words.count("headers/weak-header") == 1
    assert "warning  headers/missing-headers" not in words, "what is not looked at may set them"
