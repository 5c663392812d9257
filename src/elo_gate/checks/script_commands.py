"""Judges the commands of platforms in a script: do they exist, do they reach what is meant, what do they give away."""

from __future__ import annotations

import re

from ..kinds import cluster, script, script_secrets
from ..kinds.script import program, reading, view
from ..model import ERROR, NOTE, SCALAR, WARNING, Fault, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.script_calls import Call
    from ..model import Artifact, Item

    Answer = Iterator[Fault | Undecided]


def _whole(call: Call) -> Node:
    """The command as written, from its program to its last word."""
    source = call.script.source
    start, end = call.head.start, call.words[-1].end
    return Node(SCALAR, source.text[start:end], source, start, end, "'")


# -- what is installed

_INSTALLS = {
    "npm": ("install", "i", "add"),
    "pnpm": ("add", "install", "i"),
    "bun": ("add", "install", "i"),
    "yarn": ("add",),
}
_VERSION = re.compile(r"^v?\d|^[~^]\d|^\$|^\*$")


def unpinned_install(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each program that is installed for the whole machine without a version."""
    for call in reading(file).calls:
        verbs = _INSTALLS.get(program(call))
        words = call.plain("--registry", "--prefix", "--cache")
        if verbs is None or not words:
            continue
        everywhere = call.flag("-g", "--global", "--location=global") is not None
        if program(call) == "yarn" and words[0].text == "global":
            everywhere, words = True, words[1:]
        if not everywhere or not words or words[0].text not in verbs:
            continue
        for word in words[1:]:
            text = call.text(word)
            if text.startswith((".", "/", "http", "git", "file:", "*")) or text.endswith(".tgz"):
                continue
            at = text.find("@", 1)
            version = text[at + 1 :] if at > 0 else ""
            if not _VERSION.search(version):
                name = text[:at] if at > 0 else text
                node = Node(SCALAR, text, file.source, word.start, word.end, "'")
                yield Fault(node, package=name, version=version or "no version")


# -- what does not exist


def unknown_subcommand(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each subcommand that the program does not have, by the dated table of programs."""
    table = file.project.table("cli-commands")
    for call in reading(file).calls:
        entry = table["programs"].get(program(call))
        if entry is None or call.flag("--help", "-h") is not None:
            continue
        words = call.plain(*entry.get("valued", ()))
        prefix = entry.get("behind", "")
        if prefix:
            if not words or words[0].text != prefix:
                continue
            words = words[1:]
        if not words or not call.value(words[0]).known:
            continue
        name = words[0].text
        missing = entry.get("missing", {})
        values = {"program": (program(call) + " " + prefix).strip(), "name": name, "as_of": table["as_of"]}
        if name in missing:
            yield Fault(_whole(call), severity=ERROR, instead=missing[name], **values)
        elif entry.get("closed") and name not in entry["commands"] and re.fullmatch(r"[a-z][a-z-]*", name):
            yield Fault(_whole(call), message="unlisted", severity=entry.get("severity", WARNING), **values)


# -- what is not reached

_NAMESPACED = ("-n", "--namespace", "-A", "--all-namespaces")
_KUBECTL = tuple(
    """-n --namespace -c --container --context --kubeconfig -f --filename -l --selector -o --output --to-revision
    --timeout --replicas --cluster --revision -p --patch""".split()
)
_KINDS = {
    "deploy": "Deployment", "deployment": "Deployment", "deployments": "Deployment", "sts": "StatefulSet",
    "statefulset": "StatefulSet", "statefulsets": "StatefulSet", "ds": "DaemonSet", "daemonset": "DaemonSet",
    "daemonsets": "DaemonSet", "cronjob": "CronJob", "cj": "CronJob",
}  # fmt: skip


def wrong_namespace(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each kubectl command that looks for a workload where the manifests do not put it."""
    every = list(_workloads(file.project))
    if not every:
        return
    text = file.source.text
    for call in reading(file).calls:
        target = _target(call)
        if target is None:
            continue
        kind, name = target
        same = [owner for owner in every if owner.facts["kind"] == kind and owner.facts["name"] == name]
        rolls = "undo" in call.texts
        if not same:
            if _renamed(file.project) or any(not owner.facts["name"] for owner in every):
                yield Undecided("Kustomize or Helm may give it that name", call.place)
            elif rolls:
                yield Fault(
                    _whole(call), [(every[0].place, "what the manifests have")], message="absent", kind=kind, name=name
                )
            continue
        wanted = {owner.facts["namespace"] for owner in same}
        option = call.option(*_NAMESPACED[:2])
        given = call.text(option) if option is not None else "default"
        if not all(isinstance(each, str) for each in wanted) or "*" in given or call.flag("-A", "--all-namespaces"):
            yield Undecided("the namespace is told elsewhere", call.place)
            continue
        names = {each for each in wanted if each}
        if len(names) < len(wanted) or given in names:
            continue  # without a namespace in the manifest, whoever applies it chooses
        if option is None and re.search(
            r"set-context|use-context|kubens|KUBECONFIG|--kubeconfig|HELM_NAMESPACE|alias\s+kubectl", text
        ):
            yield Undecided("the context may name the namespace", call.place)
            continue
        yield Fault(
            _whole(call), [(same[0].place, f"in namespace '{sorted(names)[0]}'")], severity=ERROR if rolls else WARNING,
            kind=kind, name=name, given=given, namespace=sorted(names)[0],
        )  # fmt: skip


def _workloads(project: Any) -> Iterator[Item]:
    for artifact in project.artifacts("k8s"):
        if artifact.state == "judged":
            for owner in cluster.objects(artifact):
                if owner.facts["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "CronJob"):
                    yield owner


def _renamed(project: Any) -> bool:
    """Whether a tool may name the objects otherwise than the manifests do."""
    for artifact in project.artifacts("k8s"):
        name = artifact.path.rpartition("/")[2].lower()
        if (
            name.startswith("kustomization.")
            and re.search(r"name(?:Prefix|Suffix)", artifact.source.text)
            or name == "chart.yaml"
        ):
            return True
    return False


def _target(call: Call) -> tuple[str, str] | None:
    """(kind, name) of the workload that a kubectl command works on."""
    if program(call) not in ("kubectl", "oc"):
        return None
    words = call.plain(*_KUBECTL)
    texts = [word.text for word in words]
    if (
        (
            texts[:1] == ["rollout"]
            and len(texts) > 2
            and texts[1] in ("undo", "status", "restart", "history", "pause", "resume")
        )
        or texts[:2] == ["set", "image"]
        or texts[:2] == ["set", "env"]
    ):
        rest = words[2:]
    elif texts[:1] == ["scale"]:
        rest = words[1:]
    else:
        return None
    if not rest or not call.value(rest[0]).known:
        return None
    first = call.text(rest[0])
    if "/" in first:
        kind, _, name = first.partition("/")
    elif len(rest) > 1 and call.value(rest[1]).known:
        kind, name = first, call.text(rest[1])
    else:
        return None
    kind = _KINDS.get(kind.partition(".")[0].lower(), "")
    return (kind, name) if kind else None


# -- how it is deployed


def around_gate(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for a script that deploys to production past the gate."""
    found = []
    for item in view(file, "deploys"):
        call = item.facts["call"]
        if item.facts["environment"] not in ("", "production") or item.facts["platform"] == "elo-gate":
            continue
        if call is None or "elo-gate" in call.wrappers or "rollout restart" in call.shown:
            continue
        found.append(item)
    calls = reading(file).calls
    gated = [call for call in calls if program(call) == "elo-gate" and call.texts[:1] in (["check"], ["deploy"])]
    gated += [call for call in calls if program(call) == "elo-gate-hook"]
    found = [item for item in found if not any(call.start < item.place.start for call in gated)]
    if not found or script.ROLLBACK in script.named(file.path):
        return
    first = found[0]
    certain = first.facts["environment"] == "production" or file.project.elo
    severity = ERROR if _declared(file.project) and certain else NOTE
    yield Fault(
        first.place,
        [(item.place, "and here") for item in found[1:4]],
        severity=severity,
        command=first.facts["call"].shown,
    )


def _declared(project: Any) -> bool:
    """Whether elo-gate.toml has a `[deploy]` table: then a way around it is a mistake, not a choice."""
    kept = project.facts.get("deploy table")
    if kept is None:
        from ..syntax import toml

        source = project.read("elo-gate.toml")
        kept = False
        if source is not None and "deploy" in source.text:
            root, _ = toml.parse(source)
            kept = bool(root.get("deploy"))
        project.facts["deploy table"] = kept
    return bool(kept)


def custom_target(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a note for each Vercel environment that somebody has to have created."""
    known = ("production", "preview", "development")
    seen = set()
    for call in reading(file).calls:
        if program(call) != "vercel":
            continue
        target = call.option("--target")
        words = call.plain("--token", "--scope", "--cwd", "-S", "-t")
        if [word.text for word in words[:2]] == ["env", "add"] and len(words) > 3:
            target = words[3]
        if target is None or not call.value(target).known:
            continue
        name = call.text(target)
        if name in known or "," in name or not name or name in seen:
            continue
        seen.add(name)
        yield Fault(Node(SCALAR, name, file.source, target.start, target.end, "'"), name=name)


def railway_up(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a note for `railway up` that deploys whatever the folder happens to be linked to."""
    for call in reading(file).calls:
        if program(call) != "railway" or call.texts[:1] != ["up"]:
            continue
        wanted = []
        if call.option("-s", "--service") is None:
            wanted.append("--service NAME")
        if call.option("-e", "--environment") is None:
            wanted.append("--environment production")
        if call.flag("-c", "--ci", "-d", "--detach", "--json") is None:
            wanted.append("--ci")
        if len(wanted) > 1 or wanted and wanted != ["--ci"] and "RAILWAY_TOKEN" not in file.source.text:
            yield Fault(_whole(call), flags=" ".join(wanted))


# -- what it gives away


def literal_secret(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each credential that is written in a script."""
    seen = set()
    for value, name, at in script_secrets.literals(file):
        if value.start not in seen:
            seen.add(value.start)
            yield Fault(at, name=name)


def secret_on_command_line(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each secret that any user of the machine sees in the list of processes."""
    for call in reading(file).calls:
        if call.contained and not call.remote and program(call) not in ("vercel", "railway"):
            continue
        for word, flag in script_secrets.arguments(call):
            if not word.known and "$" in word.text and not word.text.startswith("file:"):
                node = Node(SCALAR, flag, file.source, word.start, word.end, "'")
                hint = _INSTEAD.get(
                    program(call), "pass it through the environment or a file that only its owner reads"
                )
                yield Fault(node, program=program(call), flag=flag, hint=hint)


_INSTEAD = {
    "vercel": "export VERCEL_TOKEN and leave the flag out",
    "netlify": "export NETLIFY_AUTH_TOKEN and leave the flag out",
    "mysqldump": "put it into a file of mode 600 and name that with `--defaults-extra-file`",
    "mysql": "put it into a file of mode 600 and name that with `--defaults-extra-file`",
    "redis-cli": "export REDISCLI_AUTH and leave the flag out",
    "sshpass": "log in with a key",
}
