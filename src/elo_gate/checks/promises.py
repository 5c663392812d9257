"""Judges what documents promise and no file keeps, and a cluster that is measured while nobody is told."""

from __future__ import annotations

from ..environment import PRODUCTION
from ..model import Fault, Item, Node, Undecided
from ..project import promises

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact

    Answer = Iterator[Fault | Undecided]

# Word -> (what it is, what to write).
_WRITE = {
    "alerts": ("alerts", "`monitoring/alerts.yaml`, a PrometheusRule with alerts on errors, latency and restarts"),
    "audit": ("a security audit", "a job in the pipeline that runs `npm audit --omit=dev --audit-level=high`"),
    "backup-encryption": ("encrypted backups", "`age -r $RECIPIENT` (or `gpg`) between the dump and its upload"),
    "csp": ("a Content Security Policy", "the header `Content-Security-Policy` in `src/proxy.ts` or next.config"),
    "error-tracking": ("error tracking", "`instrumentation.ts` with `Sentry.init` and its DSN in every target"),
    "health-check": ("a health check", "a `readinessProbe`, a `healthcheckPath` or a `HEALTHCHECK`"),
    "hpa": ("autoscaling", "`k8s/production/hpa.yaml`, a HorizontalPodAutoscaler for each Deployment"),
    "logs": ("central logs", "a log driver or collector, and JSON lines on standard output"),
    "metrics": ("metrics", "a ServiceMonitor and a `/metrics` route, or the platform's analytics component"),
    "notification": ("a notification of releases", "a last job in the pipeline that tells the team's channel"),
    "off-site-backup": ("backups that leave the house", "an upload (`aws s3 cp`, `rclone copy`) after the dump"),
    "pdb": ("a disruption budget", "`k8s/production/pdb.yaml`, a PodDisruptionBudget with `minAvailable`"),
    "rate-limit": ("a rate limit", "`src/lib/rate-limit.ts`, called by the API routes or the proxy"),
    "rollback": ("a way back", "`scripts/rollback.sh` with the platform's command"),
    "scheduled-backup": ("scheduled backups", "`k8s/production/backup.yaml`, a CronJob that runs the backup script"),
    "smoke-test": ("a test after the release", "a step after the deployment: `curl --fail https://.../api/health`"),
    "staging": ("a staging environment", "a deployment with `environment: staging` before the one to production"),
    "zero-downtime": (
        "releases without a gap",
        "`strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}` and a readinessProbe",
    ),
}  # fmt: skip

# Word -> the checks of rules that say what is missing at the thing itself: (kind, view, module, function, and a part
# of what its fault lists, "" for all of it).
_SAY = {
    "audit": (("project", "releases", "ci_after", "no_audit", ""),),
    "backup-encryption": (("script", "file", "script_dump", "not_encrypted", ""),),
    "hpa": (("k8s", "workloads", "k8s_availability", "fragile", "HorizontalPodAutoscaler"),),
    "off-site-backup": (("script", "file", "script_backup", "not_off_site", ""),),
    "pdb": (("k8s", "workloads", "k8s_availability", "fragile", "PodDisruptionBudget"),),
    "scheduled-backup": (("project", "backups", "backups", "not_scheduled", ""),),
    "smoke-test": (("project", "releases", "ci_after", "no_health_check", ""),),
}


def unmet(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a promise that nothing in the tree keeps."""
    word = it.facts["word"]
    if it.facts["kept"] is not None:
        return
    if it.facts["open"]:
        yield Undecided(it.facts["open"], it)
        return
    if _said_elsewhere(word, file):
        return
    title, write = _WRITE[word]
    yield Fault(it, word=word, title=title, write=write)


def _said_elsewhere(word: str, file: Artifact) -> bool:
    """Whether a rule about the thing itself says it, with the place to repair."""
    from ..kinds import module_of
    from ..project.views import VIEWS

    if word == "rollback":
        return bool(VIEWS["rollbacks"](file))  # project/rollback-plan-missing
    for kind, view, module, name, part in _SAY.get(word, ()):
        check = getattr(__import__(f"{__package__}.{module}", fromlist=["x"]), name)
        if kind == "project":
            found = [(item, file) for item in VIEWS[view](file)]
        else:
            found = [
                (item, artifact)
                for artifact in file.project.artifacts(kind) if artifact.state == "judged"
                for item in module_of(kind).VIEWS[view](artifact)
            ]  # fmt: skip
        for item, artifact in found:
            try:
                for answer in check(item, artifact, {}):
                    if isinstance(answer, Fault) and part in str(answer.values.get("missing", "")):
                        return True
            except Undecided:
                pass
    return False


# -- what watches production

_MONITORING = ("monitoring.coreos.com/", "operator.victoriametrics.com/")
_FOLDERS = ("monitoring", "observability", "prometheus", "grafana")


def no_alerts(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a cluster that is measured, or whose standard asks for it, and in which nobody is told."""
    project = file.project
    if "alerts" in project.promises:
        return  # project/unmet-promise says it
    place, why = _measured(project)
    if place is None or promises.keeper(project, "alerts") is not None:
        return
    opened = promises.elsewhere(project, "alerts")
    if opened:
        yield Undecided(opened, place)
    else:
        yield Fault(place, why=why)


def _measured(project: Any) -> tuple[Node | None, str]:
    """Where the tree shows that Kubernetes is the target and is to be watched, and by what."""
    first: Node | None = None
    for artifact in project.artifacts("k8s"):
        if artifact.environment != PRODUCTION:
            continue
        for document in artifact.root.elements():
            kind = document.get("kind")
            if (document.get("apiVersion").text() or "").startswith(_MONITORING):
                return kind, f"a {kind.text() or 'monitor'}"
            if first is None and kind.text() in ("Deployment", "StatefulSet", "DaemonSet"):
                first = kind
    if first is None:
        return None, ""
    if any(path.split("/")[0] in _FOLDERS for path in project.aside if "/" in path):
        return first, "a folder for monitoring"
    if project.elo:
        return project.declared.get(("platforms", "kubernetes"), first), "standard = elo"
    return None, ""
