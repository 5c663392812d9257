"""nginx: scopes, inheritance, includes, and what tells its files from those of others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elo_gate.examples import project_of
from elo_gate.kinds import kind_of, nginx
from elo_gate.model import CHOICE, UNKNOWN, Artifact, Item, Source
from elo_gate.ruleset.load import load


def artifact(text: str, path: str = "nginx.conf") -> Artifact:
    made = Artifact(Source(path, text), "nginx")
    nginx.load(made)
    return made


def sent(file: Artifact, path: str) -> dict[str, str]:
    answer = next(each for each in nginx.view(file, "answers") if each.facts["path"] == path)
    return {each.facts["name"]: each.facts["state"] for each in answer.facts["headers"]}


def proxy(text: str) -> Item:
    return nginx.view(artifact(text), "proxies")[0]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("nginx.conf", "", True),
        ("conf/nginx.conf.template", "whatever", True),
        ("site.conf", "server {\n  listen 80;\n}\n", True),
        ("conf.d/app.conf", "upstream app {\n  server app:3000;\n}\n", True),
        ("locations.conf", "location /api/ {\n  proxy_pass http://api;\n}\n", True),
        ("nginx/default", "server\n{\n  listen 80;\n}\n", True),
        ("httpd.conf", "<VirtualHost *:80>\n  ServerName a\n</VirtualHost>\n", False),
        ("supervisord.conf", "[program:web]\ncommand=node server.js\n", False),
        ("redis.conf", "bind 127.0.0.1\nappendonly yes\n", False),
        ("pgbouncer.conf", "[databases]\na = host=b\n", False),
        ("application.conf", "server {\n  port = 80\n  host = a\n}\n", False),
        ("named.conf", 'zone "a" {\n  type master;\n};\nserver 10.0.0.1 {\n  bogus yes;\n};\n', False),
        ("headers.conf", "add_header X-Frame-Options DENY always;\n", False),
    ],
)
def test_whose_file_it_is(path: str, text: str, expected: bool) -> None:
    assert nginx.looks_like(path, text) is expected


@given(st.text())
@settings(max_examples=150, deadline=None)
def test_any_text_has_views(text: str) -> None:
    file = artifact(text)
    for name in nginx.VIEWS:
        nginx.view(file, name)
    nginx.secrets(file)


@pytest.mark.parametrize(
    "path",
    [
        "nginx.conf",
        "a/b.conf",
        "app.nginx",
        "t/default.conf.template",
        "nginx/default",
        "deploy/sites-enabled/a.example",
    ],
)
def test_paths(path: str) -> None:
    assert kind_of(path) == "nginx"


def test_an_inner_header_drops_the_outer_ones() -> None:
    file = artifact(
        "http { add_header A 1; server { add_header B 2 always; "
        "location / { root /srv; } location /x/ { add_header C 3; } location /y/ { add_header C ''; } } }"
    )
    assert sent(file, "/") == {"b": "present"}
    assert sent(file, "/x/") == {"c": "present"}
    assert sent(file, "/y/") == {}
    answer = next(each for each in nginx.view(file, "answers") if each.facts["path"] == "/x/")
    assert [each.facts["name"] for each in answer.facts["lost"]] == ["b"]
    assert nginx.state(answer, "b") == "absent"


def test_headers_can_be_merged() -> None:
    file = artifact(
        "http { add_header_inherit merge; add_header A 1; "
        "server { location / { add_header B 2; } location /x/ { add_header_inherit off; add_header C 3; } } }"
    )
    assert sent(file, "/") == {"a": "present", "b": "present"}
    assert sent(file, "/x/") == {"c": "present"}


def test_a_header_of_a_variable() -> None:
    file = artifact(
        "http { map $scheme $h { default ''; https 'max-age=1'; } map $a $k { default x; b y; }"
        'server { add_header A $h; add_header B $k; add_header C $upstream_http_c; add_header D "d $e"; } }'
    )
    found = {each.facts["name"]: each for each in nginx.view(file, "headers")}
    assert {name: each.facts["state"] for name, each in found.items()} == {
        "a": "unknown", "b": "present", "c": "unknown", "d": "present",
    }  # fmt: skip
    assert found["b"].facts["value"].kind is CHOICE
    assert found["d"].facts["value"].kind is UNKNOWN


@pytest.mark.parametrize(
    ("written", "port", "tls", "loopback"),
    [
        ("80", 80, False, False),
        ("[::]:443 ssl", 443, True, False),
        ("127.0.0.1:8080", 8080, False, True),
        ("localhost", 80, False, True),
        ("443 quic reuseport", 443, True, False),
        ("unix:/run/nginx.sock", None, False, True),
        ("${PORT}", None, False, False),
        ("*:8080 default_server", 8080, False, False),
        ("[::1]", 80, False, True),
    ],
)
def test_listen(written: str, port: int | None, tls: bool, loopback: bool) -> None:
    listen = nginx.view(artifact(f"server {{ listen {written}; }}"), "servers")[0].facts["listens"][0]
    assert (listen.facts["port"], listen.facts["tls"], listen.facts["loopback"]) == (port, tls, loopback)


@pytest.mark.parametrize(
    ("written", "host", "port", "uri"),
    [
        ("http://app", "app", 80, ""),
        ("https://app/x", "app", 443, "/x"),
        ("http://app:3000/", "app", 3000, "/"),
        ("http://[::1]:3000", "[::1]", 3000, ""),
        ("http://app:3000$request_uri", "app", 3000, "$request_uri"),
        ("http://$host", None, None, ""),
        ("http://unix:/run/app.sock", None, None, "/run/app.sock"),
        ("http://${APP_HOST}:3000", None, 3000, ""),
        ("http://app:${APP_PORT}", "app", None, ""),
    ],
)
def test_proxy_pass(written: str, host: str | None, port: int | None, uri: str) -> None:
    facts = proxy(f"server {{ location / {{ proxy_pass {written}; }} }}").facts
    assert (facts["host"], facts["port"], facts["uri"]) == (host, port, uri) or facts["targets"][0].facts["unix"]


def test_a_variable_with_one_value_is_that_value() -> None:
    facts = proxy("server { set $b app:3000; location / { proxy_pass http://$b; proxy_read_timeout 1m30s; } }").facts
    assert (facts["host"], facts["port"], facts["variables"]) == ("app", 3000, ["b"])
    assert facts["read_timeout"] == 90
    assert facts["connect_timeout"] == 60
    assert facts["read_timeout_at"].value == "1m30s"


def test_an_upstream_group_is_followed() -> None:
    facts = proxy("upstream g { server a:1; server b; } server { location / { proxy_pass http://g; } }").facts
    assert facts["upstream"].facts["name"] == "g"
    assert [(each.facts["host"], each.facts["port"]) for each in facts["targets"]] == [("a", 1), ("b", 80)]


def test_a_stream_is_no_web_server() -> None:
    file = artifact("stream { server { listen 5432; proxy_pass db:5432; } } http { server { listen 80; } }")
    assert len(nginx.view(file, "servers")) == 1
    assert [each.facts["host"] for each in nginx.view(file, "proxies")] == ["db"]


@pytest.mark.parametrize(
    ("body", "https"),
    [
        ("return 301 https://$host$request_uri;", True),
        ("return 302 http://a/;", False),
        ("rewrite ^ https://$host$request_uri? permanent;", True),
        ("if ($scheme = http) { return 301 https://a$request_uri; }", True),
    ],
)
def test_redirects(body: str, https: bool) -> None:
    server = nginx.view(artifact(f"server {{ listen 80; {body} }}"), "servers")[0]
    assert server.facts["redirect"].facts["https"] is https


def test_a_template_of_another_program_is_set_aside() -> None:
    file = artifact("server {\n  {% if tls %}\n  listen 443 ssl;\n  {% endif %}\n}\n")
    assert file.state == "aside"
    assert not file.problems


def test_credentials_are_masked() -> None:
    text = (
        'server { location / { proxy_set_header Authorization "Basic c2hvcDprQjd2"; proxy_pass http://u:kB7vq2L@a; } }'
    )
    masked = [text[start:end] for start, end in nginx.secrets(artifact(text))]
    assert masked == ['"Basic c2hvcDprQjd2"', "http://u:kB7vq2L@a"]


MAIN = "events {}\nhttp {\n  add_header A 1;\n  include /etc/nginx/conf.d/*.conf;\n}\n"
SITE = "server {\n  listen 80;\n  include snippets/more.conf;\n  location / { proxy_pass http://app; }\n}\n"
MORE = "add_header B 2;\n"


def whole(files: dict[str, str], path: str) -> Artifact:
    project = project_of(files, load())
    found = project.artifact(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "given",
    [
        {"compose.production.yaml": """\
services:
  proxy:
    image: nginx:1.28.0
    volumes:
      - ./main.conf:/etc/nginx/nginx.conf:ro
      - ./sites/site.conf:/etc/nginx/conf.d/default.conf:ro
      - ./parts:/etc/nginx/snippets:ro
"""},
        {"Dockerfile": """\
FROM nginx:1.28.0
COPY main.conf /etc/nginx/nginx.conf
COPY sites/ /etc/nginx/conf.d/
COPY parts /etc/nginx/snippets
"""},
    ],
)  # fmt: skip
def test_includes_follow_mounts_and_copies(given: dict[str, str]) -> None:
    files = {"main.conf": MAIN, "sites/site.conf": SITE, "parts/more.conf": MORE, **given}
    main = whole(files, "main.conf")
    assert sent(main, "/") == {"b": "present"}
    assert nginx.version(main) == (1, 28, 0)
    site = whole(files, "sites/site.conf")
    assert site.state == "aside"
    assert site.why == "judged as part of main.conf"


def test_includes_are_found_beside_the_file() -> None:
    files = {"nginx/nginx.conf": MAIN, "nginx/conf.d/site.conf": SITE, "nginx/snippets/more.conf": MORE}
    assert sent(whole(files, "nginx/nginx.conf"), "/") == {"b": "present"}


def test_an_include_that_is_not_here_leaves_it_open() -> None:
    main = whole({"nginx.conf": f"events {{}}\nhttp {{\n{SITE}}}\n"}, "nginx.conf")
    answer = nginx.view(main, "answers")[0]
    assert nginx.state(answer, "b") == "unknown"


def test_includes_in_a_circle_end() -> None:
    files = {
        "nginx.conf": "http { include a.conf; server { listen 80; } }",
        "a.conf": "include nginx.conf; include a.conf;",
    }
    assert len(nginx.view(whole(files, "nginx.conf"), "servers")) == 1


def test_a_file_takes_the_environment_of_what_uses_it() -> None:
    compose = "services:\n  proxy:\n    image: nginx:1.30.1\n    volumes: [./site.conf:/etc/nginx/conf.d/site.conf]\n"
    used = whole({"site.conf": SITE, "compose.production.yaml": compose}, "site.conf")
    assert (used.environment, used.assumed) == ("production", False)
    unused = whole({"site.conf": SITE, "compose.dev.yaml": compose}, "site.conf")
    assert (unused.environment, unused.state) == ("development", "aside")
