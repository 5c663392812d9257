"""What a secret looks like, and the promise that none of it is shown."""

from __future__ import annotations

import base64
import re
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate import redact
from elo_gate.redact import cover, formats

ALNUM = string.ascii_letters + string.digits


def random_text(alphabet: str, low: int, high: int | None = None) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=low, max_size=high or low)


# One generator a kind of secret that is known by its form, wherever it stands.
KNOWN = {
    "stripe": st.builds("{}_live_{}".format, st.sampled_from(["sk", "rk"]), random_text(ALNUM, 24)),
    "github": st.builds("gh{}_{}".format, st.sampled_from("pousr"), random_text(ALNUM, 36)),
    "github fine": st.builds("github_pat_{}".format, random_text(ALNUM + "_", 40)),
    "gitlab": st.builds("glpat-{}".format, random_text(ALNUM + "-_", 20)),
    "aws": st.builds("AKIA{}".format, random_text(string.ascii_uppercase + string.digits, 16)),
    "slack": st.builds("xoxb-{}-{}".format, random_text(string.digits, 12), random_text(ALNUM, 24)),
    "npm": st.builds("npm_{}".format, random_text(ALNUM, 36)),
    "sendgrid": st.builds("SG.{}.{}".format, random_text(ALNUM + "-_", 22), random_text(ALNUM + "-_", 43)),
    "openai": st.builds("sk-proj-{}".format, random_text(ALNUM + "-_", 48)),
    "jwt": st.builds("eyJ{}.eyJ{}.{}".format, *[random_text(ALNUM + "-_", 30)] * 3),
    "webhook": st.builds("whsec_{}".format, random_text(ALNUM + "+/", 32)),
}
# Secrets that only their name or place gives away: anything without white space or quotes.
ANY = st.text("".join(chr(c) for c in range(33, 127) if chr(c) not in "\"'`"), min_size=10, max_size=40).filter(
    lambda text: (
        "${" not in text and "$(" not in text and len(set(text)) > 6 and not redact.placeholder(text, "PASSWORD")
    )
)

NAMED_CARRIERS = [
    "API_SECRET={}",
    "export DB_PASSWORD={}",
    'NEXTAUTH_SECRET="{}"',
    "JWT_SECRET='{}' # comment",
    "db-password: {}",
    'stringData: {{ "apiKey": "{}" }}',
    '{{"user": "app", "password": "{}", "port": 5432}}',
    "  clientSecret = `{}`",
    "- name: DB_PASSWORD\n  value: {}\n- name: PORT\n  value: 3000",
    '{{"name": "API_TOKEN", "value": "{}"}}',
    "ENV APP_SECRET {}",
    "ENV NODE_ENV=production JWT_SECRET={} PORT=3000",
    "docker run -e DB_PASSWORD={} -p 80:80 app",
    "redis-server --requirepass {} --port 6379",
    'command: ["redis-server", "--requirepass", "{}"]',
    "command:\n  - redis-server\n  - --requirepass\n  - {}\n",
    "vercel deploy --token={} --prod",
    "curl -u admin:{} https://api.acme.io",
    'Authorization: Bearer {}',
    "ALTER USER app PASSWORD '{}'",
    "CREATE USER 'app' IDENTIFIED BY '{}'",
    "const jwtSecret = process.env.JWT_SECRET || '{}'",
    "mysql -u root -p{} app",
    "password: |\n  {}\nuser: x",
    "two=1\r\nSMTP_PASS={}\r\nthree=3\r\n",
]  # fmt: skip
CARRIERS = [
    "{}", "value {} here", "FOO={}", "a: {}", '["{}"]', "# old: {}", "https://acme.io/hook?x={}&y=1",
    "image: registry/app:{}", "echo {} | tee log", "data:\n  config: {}\n", "A={0} B={0}",
]  # fmt: skip
URLS = ["postgresql://app:{}@db.acme.io:5432/app", "DATABASE_URL=mysql://u:{}@h/d", "a redis://:{}@h:1 b amqp://x:{}@y"]


def leaked(secret: str, shown: str) -> list[str]:
    return [secret[i : i + 10] for i in range(len(secret) - 9) if secret[i : i + 10] in shown]


def check(secret: str, carrier: str) -> None:
    text = carrier.format(*[secret] * carrier.count("{}")) if "{}" in carrier else carrier.format(secret)
    shown = redact.mask(text)
    # What the carrier itself says (a scheme that the secret happens to be) is no leak.
    assert not [form for form in leaked(secret, shown) if form not in carrier], (text, shown)
    assert redact.mask(shown) == shown
    assert shown.count("\n") == text.count("\n")
    assert shown.count("\r") == text.count("\r")


@given(st.sampled_from(sorted(KNOWN)).flatmap(KNOWN.__getitem__), st.sampled_from(CARRIERS + NAMED_CARRIERS))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_no_known_token_survives(secret: str, carrier: str) -> None:
    if not any(known in secret for known in ("EXAMPLE", "Eby8vdM0")) and not redact.placeholder(secret):
        check(secret, carrier)


@given(ANY, st.sampled_from(NAMED_CARRIERS))
@settings(max_examples=800, suppress_health_check=[HealthCheck.too_slow])
def test_no_value_of_a_secret_name_survives(secret: str, carrier: str) -> None:
    check(secret, carrier)


@given(ANY.filter(lambda text: "<" not in text and ">" not in text), st.sampled_from(URLS))
@settings(max_examples=300)
def test_no_url_password_survives(secret: str, carrier: str) -> None:
    check(secret, carrier)


@given(
    st.binary(min_size=24, max_size=48), st.sampled_from(CARRIERS), st.sampled_from(["hex", "base64", "url", "back"])
)
@settings(max_examples=400, derandomize=True)  # one text in some thousands looks like words
def test_no_random_text_survives(secret: bytes, carrier: str, form: str) -> None:
    encoded = {
        "hex": secret.hex(),
        "base64": base64.b64encode(secret).decode(),
        "url": base64.urlsafe_b64encode(secret).decode().rstrip("="),
        "back": base64.b64encode(secret).decode()[::-1],
    }[form]
    if len(set(secret)) > 16:  # bytes that repeat are not random
        check(encoded, carrier)


@given(st.lists(random_text(ALNUM + "+/", 64), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n", "\\n"]))
def test_no_line_of_a_private_key_survives(lines: list[str], end: str) -> None:
    text = f'KEY="-----BEGIN RSA PRIVATE KEY-----{end}{end.join(lines)}{end}-----END RSA PRIVATE KEY-----"\nPORT=1'
    shown = redact.mask(text)
    assert not any(leaked(line, shown) for line in lines)
    assert "BEGIN RSA PRIVATE KEY" in shown or "KEY=" in shown
    assert shown.count("\n") == text.count("\n")
    assert redact.mask(shown) == shown


def test_a_private_key_cut_off_is_hidden_to_the_end() -> None:
    assert redact.mask("-----BEGIN PRIVATE KEY-----\nabc def\nghi jkl mno") == "-----BEGIN PRIVATE KEY-----\n***\n***"


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(-5, 220), st.integers(-5, 220)), max_size=4))
@settings(max_examples=500)
def test_any_text_is_masked(text: str, spans: list[tuple[int, int]]) -> None:
    shown = redact.mask(text, spans)
    assert shown.count("\n") == text.count("\n")
    assert redact.mask(shown) == shown
    redact.tokens(text)
    redact.entropy(text)
    redact.stand_in(text, text)


@given(st.text("ab=:\"'` \n-|>{}$,;#\\", max_size=40).map(lambda text: "password" + text + "secret" + text))
@settings(max_examples=500)
def test_any_notation_is_masked(text: str) -> None:
    shown = redact.mask(text)
    assert redact.mask(shown) == shown
    assert shown.count("\n") == text.count("\n")


def test_given_spans_are_hidden() -> None:
    assert redact.mask("user tom likes tea", [(5, 8)]) == "user *** likes tea"
    assert redact.mask("a\nbb\nc", [(0, 6)]) == "***\n***\n***"


@pytest.mark.parametrize(
    "text",
    [
        'NEXTAUTH_SECRET="your-production-secret-here"',
        "CLERK_SECRET_KEY=sk_live_...",
        "SMTP_PASS=changeme",
        "PASSWORD=${DB_PASSWORD}",
        "password: ${{ secrets.DB_PASSWORD }}",
        "JWT_SECRET: $JWT_SECRET",
        "automountServiceAccountToken: false",
        "PASSWORD_RESET_DISABLED=1",
        "SECRETKEY_PATH=/etc/app/secret.key",
        "secretName: intranet-tls",
        "id-token: write",
        "DATABASE_URL=postgresql://user:pass@host:5432/app",
        "image: ghcr.io/acme/web@sha256:" + "0123456789abcdef" * 4,
        "see GHSA-2xp9-vwfh-vxw4",
        "containers.securityContext.allowPrivilegeEscalation: false",
        "k8s/production/app-deployment.yaml:12:3 docker-compose.production.yml",
        "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY is empty",
        "experimental.optimizePackageImports, terminationGracePeriodSeconds, topologySpreadConstraints",
        "'JWT_SECRET' is 12 bytes long; write 32 or more.",
        "GET /api/health 3000 2026-11-25T10:00:00Z",
        "uses: actions/checkout@v5",
        "password rotation is due, a password of 20 characters, the password is stored elsewhere",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redact.mask(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("STRIPE=sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "STRIPE=sk_l***"),
        ("postgres://app:Xy7!kd@db/app", "postgres://app:***@db/app"),
        ("${JWT_SECRET:-supersecret123}", "${JWT_SECRET:-***}"),
        ("DB_PASSWORD=postgres", "DB_PASSWORD=***"),
        ("password: 8364019283746", "password: ***"),
        ("# password P2cWuL!bPMbogj%qh", "# password ***"),
        ("the password was hG5tWq8zXn3LsVb6 once", "the password was *** once"),
        ("senha é Zr4tYp9wQx7nLv2cHd", "senha é ***"),
    ],
)
def test_how_a_secret_is_hidden(text: str, shown: str) -> None:
    assert redact.mask(text) == shown


@pytest.mark.parametrize(
    "name",
    ["NEXTAUTH_SECRET", "DB_PASSWORD", "SMTP_PASS", "PGPASSWORD", "apiKey", "clientSecret", "API_KEY_2", "STRIPE_KEY",
     "AWS_SECRET_ACCESS_KEY", "JWT_SECRET_OLD", "ENCRYPTION_KEY", "token", "_authToken", "spring.datasource.password"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert redact.secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["DATABASE_URL", "SECRETKEY_PATH", "SECRET_MANAGER_TYPE", "PASSWORD_RESET_DISABLED", "TOKEN_TTL", "AWS_ACCESS_KEY_ID",
     "NEXT_PUBLIC_FORGOT_PASSWORD_ENABLED", "PUBLIC_KEY", "SORT_KEY", "secretName", "secretKeyRef", "imagePullSecrets",
     "BYPASS", "MAX_TOKENS", "KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", ""],
)  # fmt: skip
def test_names_that_only_sound_like_it(name: str) -> None:
    assert not redact.secret_name(name)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("NEXTAUTH_SECRET", "your-production-secret-here", "your-production-secret-here"),
        ("DATABASE_URL", "postgresql://user:pass@host:5432/elo", "user:pass"),
        ("DATABASE_URL", "postgresql://app:CHANGE_ME@db.internal:5432/app", "CHANGE_ME"),
        ("REDIS_URL", "redis://:REDIS_PASSWORD@cache.internal:6379", "REDIS_PASSWORD"),
        ("SENTRY_DSN", "https://your-dsn@sentry.io/1", "your-dsn"),
        ("WEBHOOK", "https://hooks.slack.com/services/YOUR/OWN/HOOK", "services/YOUR/OWN/HOOK"),
        ("SMTP_PASS", "secure-password", "secure-password"),
        ("API_KEY", "sk_live_...", "sk_live_..."),
        ("API_KEY", "<api key>", "<api key>"),
        ("GA_ID", "G-XXXXXXXXXX", "G-XXXXXXXXXX"),
        ("STRIPE_SECRET_KEY", "sk_live_production_key", "sk_live_production_key"),
        ("JWT_SECRET", "supersecretkeychangeinprod", "supersecretkeychangeinprod"),
        ("ALERTS", "ops@example.com", "ops@example.com"),
        ("DB_PASSWORD", "db-password", "db-password"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("CHAVE", "sua-chave-aqui", "sua-chave-aqui"),
        ("DB_PASSWORD", "password", ""),
        ("SMTP_USER", "apikey", ""),
        ("APP_NAME", "todo", ""),
        ("QUEUE", "queue", ""),
        ("TEXT", "Loading...", ""),
        ("TAGLINE", "Build your app today", ""),
        ("URL", "https://acme.io/your-orders", ""),
        ("URL", "postgres://u:${PASS}@db/x", ""),
        ("NODE_ENV", "production", ""),
        ("JWT_SECRET", "9f8Xk2LmQ7vR4tZp81bNsYc3WdEa", ""),
    ],
)
def test_stand_ins(name: str, value: str, part: str) -> None:
    assert redact.stand_in(value, name) == part
    assert redact.placeholder(value, name) is bool(part)


def test_published_keys_are_no_tokens() -> None:
    jwt = base64.urlsafe_b64encode(b'{"iss":"supabase-demo","role":"anon"}').decode().rstrip("=")
    assert redact.tokens(f"KEY=eyJhbGciOiJIUzI1NiJ9.{jwt}.abcdefgh") == []
    assert redact.tokens("AWS=AKIAIOSFODNN7EXAMPLE") == []
    assert [kind for _, _, kind in redact.tokens("A=AKIAQ2W3E4R5T6Y7U8I9 B=postgres://a:k9Jd@h/x")] == [
        "aws access key", "url password",
    ]  # fmt: skip


def test_entropy() -> None:
    assert redact.entropy("") == redact.entropy("aaaa") == 0
    assert redact.entropy("ab") == 1
    assert 4 < redact.entropy("9f8Xk2LmQ7vR4tZp81bNsYc3WdEa") < 5


def test_hostile_texts_are_masked_in_linear_time() -> None:
    for text in (
        "A" * 100_000, "password" * 10_000, "://a:" * 20_000, "mysql " * 20_000, "eyJaaaaaaaa-" * 5_000,
        "-----BEGIN PRIVATE KEY-----" * 3_000, "secret=\"" * 10_000, "name: token " * 5_000, "--token " * 10_000,
        "password:\n" * 10_000, "${A_SECRET:-" * 5_000,
    ):  # fmt: skip
        redact.mask(text)


@pytest.mark.parametrize(
    ("password", "user", "weak"),
    [
        ("postgres", "postgres", True),
        ("admin123", "", True),
        ("acme_2024", "acme", True),
        ("12345678", "", True),
        ("acme_2024", "shop", False),
        ("correct-horse-battery-staple", "", False),
        ("tK3v9QxLw2Rb7ZnY", "", False),
        ("changeme", "", False),
        ("${PASS}", "", False),
        ("", "", False),
    ],
)
def test_passwords_that_are_tried_first(password: str, user: str, weak: bool) -> None:
    assert redact.weak_password(password, user) is weak


@pytest.mark.parametrize("pattern", [pattern for _, pattern in formats._FORMATS])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_no_format_escapes_the_cheap_look_before(pattern: str, data: st.DataObject) -> None:
    token = data.draw(st.from_regex(re.compile(pattern), fullmatch=True))
    assert any(map(formats._HINT.search, formats._LONG.findall(f"a {token} b")))


@given(st.text(ALNUM + " \n-_./:=@%+", max_size=200))
def test_what_looks_bare_holds_no_secret_of_its_own(text: str) -> None:
    assert not formats.bare(text) or not [*formats.tokens(text), *redact.runs(text)]


@given(st.text("ab0._-xPASSWORDtoken", max_size=9))
def test_up_to_nine_letters_hold_no_secret(text: str) -> None:
    assert not list(cover._find(text))
