"""Turns what a repository's documents promise into what keeps it: for each promised word, the place that holds it.

The words are those of `promises` in elo-gate.toml (policy/config.py). Evidence is looked for in the judged files, in
program code, in the packages, and in files of no kind (alert rules). Where part of the deployment stands in what is not
read (a Helm chart, Terraform) a missing one is unknown.
"""

from __future__ import annotations

import re

from ..environment import PRODUCTION
from ..model import SCALAR, Item, Node, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PIPELINES = ("workflow", "action", "gitlab", "pipeline")
_CLUSTER = ("k8s", "cloud")
_BACKUPS = ("script", "schedule", "k8s", "compose", *_PIPELINES)
_CODE = ("next", "code", "vercel", "nginx", "cloud")

# Word -> (kinds, what proves it in a file of these). "" as a kind: program code; "*": files of no kind.
_FILES: dict[str, tuple[tuple[str, ...], str]] = {
    "alerts": (
        (*_CLUSTER, "*"),
        r"kind:\s*[\"']?(?:PrometheusRule|VMRule|GrafanaAlertRuleGroup)\b|^\s*-?\s*alert:\s*\S|checkly|"
        r"aws_cloudwatch_metric_alarm|google_monitoring_alert_policy|azurerm_monitor_metric_alert|datadog_monitor\b|"
        r"new (?:UrlAssertion|ApiCheck|UptimeCheck)\b",
    ),
    "audit": (
        _PIPELINES,
        r"\b(?:npm|pnpm|yarn|bun) audit\b|codeql|trivy|snyk|semgrep|gitleaks|grype|osv-scanner|trufflehog|audit-ci|"
        r"dependency-review|\bsast\b|Dependency-Scanning|Secret-Detection",
    ),
    "backup-encryption": (
        _BACKUPS,
        r"\b(?:gpg|age|restic|borg|kopia|duplicity)\s|openssl enc|--sse\b|--encrypt|cipher",
    ),
    "csp": ((*_CODE, "k8s", ""), r"content-security-policy(?!-report-only)"),
    "error-tracking": (
        ("", "next"),
        r"@sentry/|sentry_sdk|@bugsnag/|rollbar|@honeybadger-io/|posthog.*captureException",
    ),
    "health-check": (
        ("k8s", "compose", "dockerfile", "railway", "cloud"),
        r"(?:readiness|liveness)Probe|^\s*HEALTHCHECK\s(?!NONE)|health_?check|healthCheck",
    ),
    "hpa": (
        _CLUSTER,
        r"kind:\s*[\"']?(?:HorizontalPodAutoscaler|ScaledObject)\b|autoscaling\.knative\.dev/max-?scale|maxReplicas",
    ),
    "logs": (
        ("compose", *_CLUSTER, "*", ""),
        r"\bloki\b|promtail|fluent-?(?:bit|d)\b|timberio/vector|logtail|papertrail|awslogs|"
        r"driver:\s*[\"']?(?:gelf|fluentd|splunk|gcplogs|syslog|loki)|from [\"'](?:pino|winston)[\"']",
    ),
    "metrics": (
        (*_CLUSTER, "compose", "", "*"),
        r"kind:\s*[\"']?(?:ServiceMonitor|PodMonitor)\b|prometheus|prom-client|@opentelemetry/|dd-trace|newrelic|"
        r"@vercel/(?:analytics|speed-insights|otel)",
    ),
    "notification": (
        (*_PIPELINES, "script"),
        r"slack|discord|teams|telegram|pagerduty|opsgenie|sendmail|send-mail|mattermost|\bntfy\b",
    ),
    "off-site-backup": (
        _BACKUPS,
        r"\baws\s+s3(?:api)?\s|\bgsutil\s|gcloud\s+storage\s|az\s+storage\s|rclone\s+(?:copy|sync)|pgbackrest|wal-g|"
        r"\b(?:restic|borg|kopia|s3cmd|b2)\s|\bmc\s+(?:cp|mirror)|barmanObjectStore|S3_BUCKET",
    ),
    "pdb": (_CLUSTER, r"kind:\s*[\"']?PodDisruptionBudget\b"),
    "rate-limit": (("nginx", "k8s", "", "code", "next"), r"limit_req\s|limit-r(?:ps|pm)|rate-?limit"),
    "smoke-test": ((*_PIPELINES, "script"), r"smoke|\b(?:curl|wget)\s[^\n]*https?://"),
    "staging": (
        _PIPELINES,
        r"environment:\s*[\"']?(?:staging|preview)|name:\s*[\"']?staging|--target[= ]staging|-e staging\b",
    ),
}
# What must stand in a backup's file beside it, so that an upload of anything else is none.
_BESIDE = {
    "off-site-backup": re.compile(r"backup|dump|restore", re.I),
    "backup-encryption": re.compile(r"backup|dump", re.I),
}
_PACKAGES = {
    "error-tracking": (
        "@sentry/nextjs",
        "@sentry/node",
        "@sentry/react",
        "@bugsnag/js",
        "rollbar",
        "@honeybadger-io/js",
    ),
    "logs": ("pino", "winston", "next-axiom", "@logtail/next"),
    "metrics": ("prom-client", "@vercel/analytics", "@vercel/speed-insights", "@vercel/otel", "dd-trace", "newrelic"),
    "rate-limit": ("@upstash/ratelimit", "express-rate-limit", "rate-limiter-flexible", "@arcjet/next"),
}
_ELSEWHERE = frozenset(
    ("alerts", "hpa", "logs", "metrics", "pdb", "zero-downtime", "scheduled-backup", "off-site-backup")
)
_MONITORS = re.compile(
    r"(?:^|/)(?:monitoring|observability|alerts?|alerting|prometheus|grafana|checks|terraform|infra)(?:/|\.)|"
    r"alert|monitor|checkly|\.tf$",
    re.I,
)
_FILES_MOST = 400


def items(project: Any) -> list[Item]:
    """Every promise of the configuration; one without a place in the tree (the file lies above it) is left out.

    Facts: `word`, `kept` (a node, None when nothing keeps it), `open` (why that cannot be known, "" when it can).
    """
    found = []
    for word in project.promises:
        place = project.declared.get(("promises", word))
        if place is not None:
            kept = keeper(project, word)
            opened = elsewhere(project, word) if kept is None else ""
            found.append(Item(place, {"word": word, "kept": kept, "open": opened}, place))
    return found


def keeper(project: Any, word: str) -> Node | None:
    """The place in the tree that keeps a promise, None when there is none."""
    if word == "rollback":
        return next((item.facts["commands"][0] for item in _rollbacks(project) if item.facts["commands"]), None)
    if word == "scheduled-backup":
        return _scheduled(project)
    if word == "zero-downtime":
        return _without_gap(project)
    if word == "audit":
        found = _audited(project)
        if found is not None:
            return found
    kinds, pattern = _FILES[word]
    test = re.compile(pattern, re.I | re.M)
    beside = _BESIDE.get(word)
    for source in _sources(project, kinds):
        if beside is not None and not beside.search(source.text):
            continue
        for match in test.finditer(source.text):
            if not _commented(source.text, match.start()):
                return Node(SCALAR, match[0], source, match.start(), match.end(), "'")
    return _package(project, _PACKAGES.get(word, ()))


def _sources(project: Any, kinds: tuple[str, ...]) -> Iterator[Source]:
    for artifact in project.all():
        # An object that no rule judges (a ServiceMonitor) is set aside, and keeps a promise all the same.
        if artifact.kind in kinds and artifact.environment == PRODUCTION:
            yield artifact.source
    if "" in kinds:
        for path in project.programs[:5_000]:
            text = project.text(path)
            if text is not None:
                yield Source(path, text)
    if "*" in kinds:
        paths = [path for path in project.aside if _MONITORS.search(path) and _is_data(path)]
        for path in sorted(paths)[:_FILES_MOST]:
            text = project.text(path)
            if text is not None:
                yield Source(path, text)


def _is_data(path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".json", ".tf", ".ts", ".js", ".toml", ".rules"))


def _commented(text: str, at: int) -> bool:
    """Whether the line is a comment; a Markdown heading or an ignore pattern is never looked at."""
    line = text[text.rfind("\n", 0, at) + 1 : at].lstrip()
    return line.startswith(("#", "//", "--", "*"))


def _package(project: Any, names: tuple[str, ...]) -> Node | None:
    if not names:
        return None
    package = project.package("package.json")
    for name in names:
        if package is not None and package.has(name):
            source = project.read(package.path)
            at = source.text.find(f'"{name}"') if source is not None else -1
            if at >= 0:
                return Node(SCALAR, name, source, at, at + len(name) + 2, '"')
    return None


def _rollbacks(project: Any) -> list[Item]:
    from .rollbacks import items as found

    return found(project)


def _scheduled(project: Any) -> Node | None:
    """The time of a schedule that backs up, by itself or by what it starts."""
    from .schedules import items as schedules

    for item in schedules(project):
        texts = " ".join(node.text() or "" for node in item.facts["commands"])
        if item.facts["backs_up"] or re.search(r"backup|pg_dump|mysqldump|mongodump|restic|pgbackrest", texts, re.I):
            when: Node = item.facts["when"]
            return when
    return None


def _audited(project: Any) -> Node | None:
    """The first security audit that a pipeline runs."""
    from ..kinds.jobs import gates
    from .pipelines import of

    for pipeline in of(project):
        for job in pipeline.jobs:
            for gate in gates(job):
                if gate.name == "audit":
                    return gate.place
    return None


def _without_gap(project: Any) -> Node | None:
    """A release that takes the old version away only when the new one answers."""
    for artifact in project.judged():
        text = artifact.source.text
        if artifact.kind == "vercel" or (artifact.kind == "cloud" and "serving.knative.dev" in text):
            return Node(SCALAR, "", artifact.source, 0, min(1, len(text)), "'")
        for pattern, kinds, needs in _GAPLESS:
            match = pattern.search(text) if artifact.kind in kinds and needs in text else None
            if match is not None:
                return Node(SCALAR, match[0], artifact.source, match.start(), match.end(), "'")
    return None


_GAPLESS = (
    (re.compile(r"maxUnavailable:\s*[\"']?0"), ("k8s",), "readinessProbe"),
    (re.compile(r"health[cC]heck(?:Path)?\"?\s*[=:]"), ("railway",), ""),
    (re.compile(r"order:\s*[\"']?start-first"), ("compose",), "healthcheck"),
)


def elsewhere(project: Any, word: str) -> str:
    """Why a promise may be kept where nothing is read: a chart, Terraform, a schedule that may start anything."""
    if word not in _ELSEWHERE:
        return ""
    for path in project.aside:
        if path.endswith((".tf", ".tf.json", ".bicep")):
            return "Terraform or the like may hold it"
    for artifact in project.all():
        if artifact.state == "aside" and ("Helm" in artifact.why or "chart" in artifact.why.lower()):
            return "a Helm chart may hold it"
    if word in ("scheduled-backup", "off-site-backup"):
        from .schedules import items as schedules

        for item in schedules(project):
            if item.facts["open"] and item.facts["origin"] in ("CronJob", "operator"):
                return "a schedule starts what is not in the repository"
    return ""
