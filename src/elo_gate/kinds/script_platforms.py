"""Turns the calls of a script into what it does to platforms: deploys, goes back, puts variables there."""

from __future__ import annotations

from ..model import SCALAR, UNKNOWN, Item, Node
from .script import DEPLOY, named, program, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Artifact
    from .script_calls import Call


def deploys(artifact: Artifact) -> list[Item]:
    """What a script deploys, in order."""
    from . import jobs
    from .jobs import Job, Pipeline, Step
    from .jobs import Script as Text

    root = artifact.root
    pipeline = Pipeline(artifact, root)
    job = Job(pipeline, root, root)
    job.id = artifact.path.rpartition("/")[2].rpartition(".")[0]
    step = Step(job, root, root)
    step.scripts = [Text(root)]
    job.steps = [step]
    pipeline.jobs = [job]
    found: dict[int, Item] = {}
    for deploy in jobs.deploys(job):
        facts: dict[str, Any] = {
            "platform": deploy.platform,
            "environment": deploy.environment,
            "target": deploy.target,
            "call": None,
        }
        found[deploy.place.start] = Item(deploy.place, facts)
    starts = {call.start: call for call in reading(artifact).calls}
    for start, item in list(found.items()):
        call = next((starts[at] for at in sorted(starts) if at >= start), None)
        item.facts["call"] = call
        if call is not None and (call.command.within or call.command.trapped and program(call) != "kubectl"):
            del found[start]
    for call in reading(artifact).calls:
        if program(call) in ("docker", "docker-compose") and call.start not in found and not call.contained:
            words = [
                word.text for word in call.plain("-f", "--file", "-p", "--project-name", "--env-file", "--profile")
            ]
            if words[:2] == ["compose", "up"] or (call.program == "docker-compose" and words[:1] == ["up"]):
                if DEPLOY in named(artifact.path) or call.remote:
                    place = Node(SCALAR, call.shown, artifact.source, call.start, call.words[-1].end, "'")
                    facts = {"platform": "docker", "environment": "", "target": "", "call": call}
                    found.setdefault(call.start, Item(place, facts))
    return [found[start] for start in sorted(found)]


_BACK = {
    "vercel": ("vercel", ("rollback", "promote")), "railway": ("railway", ("rollback",)),
    "helm": ("kubernetes", ("rollback",)),
    "heroku": ("heroku", ("rollback", "releases:rollback")), "wrangler": ("cloudflare", ("rollback",)),
    "argocd": ("kubernetes", ()), "fly": ("fly", ("rollback",)), "netlify": ("netlify", ("rollback",)),
}  # fmt: skip


def rollbacks(artifact: Artifact) -> list[Item]:
    """The ways back that a script takes."""
    found = []
    for call in reading(artifact).calls:
        name = program(call)
        words = [
            word.text for word in call.plain("-n", "--namespace", "--context", "--kubeconfig", "--token", "--scope")
        ]
        platform, subcommand = "", ""
        if name == "kubectl" and words[:2] == ["rollout", "undo"]:
            platform, subcommand = "kubernetes", "rollout undo"
        elif name == "docker" and words[:2] == ["service", "rollback"]:
            platform, subcommand = "docker", "service rollback"
        elif name in _BACK and words[:1] and words[0] in _BACK[name][1]:
            platform, subcommand = _BACK[name][0], words[0]
        if platform and not call.command.trapped:
            place = Node(SCALAR, call.shown, artifact.source, call.start, call.words[-1].end, "'")
            facts = {"call": call, "platform": platform, "program": name, "subcommand": subcommand}
            found.append(Item(place, facts))
    return found


def provisions(artifact: Artifact) -> list[Item]:
    """The variables that a script puts into platforms, at their names."""
    found: list[Item] = []
    for call in reading(artifact).calls:
        for name, platform, environment, target in _given(call):
            environments = [each for each in environment.split(",") if each] if environment != "*" else []
            facts = {
                "call": call,
                "name": name.value if name.kind is SCALAR else name,
                "platform": platform,
                "environments": environments,
                "environment": environments[0] if environments else "",
                "target": target,
            }
            found.append(Item(name, facts, name))
    return found


def _given(call: Call) -> Iterator[tuple[Node, str, str, str]]:
    """(name, platform, environment, target) of each variable that a command puts into a platform."""
    name = program(call)
    words = call.plain(
        *"""-e --environment -s --service -a --app -R --repo --env -n --namespace -b --body --token --scope
        --context --cwd -S -t""".split()
    )
    said = [word.text for word in words[:3]]
    option = call.text(call.option("-e", "--environment", "--env"))
    if name == "vercel" and said[:2] == ["env", "add"] and len(words) > 2:
        yield call.node(words[2]), "vercel", call.text(words[3]) if len(words) > 3 else "", ""
    elif name == "railway" and said[:1] and said[0] in ("variables", "variable", "vars", "var"):
        service = call.text(call.option("-s", "--service"))
        for number, word in enumerate(call.args):
            if word.text == "--set" and number + 1 < len(call.args):
                yield _key(call, number + 1), "railway", option, service
            elif word.text.startswith("--set="):
                yield _key(call, number, 6), "railway", option, service
        if said[1:2] == ["set"]:
            for word in words[2:]:
                if "=" in word.text:
                    yield _key(call, call.args.index(word)), "railway", option, service
    elif name == "fly" and said[:2] in (["secrets", "set"], ["secrets", "import"]):
        for word in words[2:]:
            yield _key(call, call.args.index(word)), "fly", "production", call.text(call.option("-a", "--app"))
    elif name == "gh" and len(words) > 2 and said[0] in ("secret", "variable") and said[1] == "set":
        yield call.node(words[2]), "github", option, call.text(call.option("-R", "--repo"))
    elif name == "heroku" and said[:1] == ["config:set"]:
        for word in words[1:]:
            yield _key(call, call.args.index(word)), "heroku", "production", call.text(call.option("-a", "--app"))
    elif name == "wrangler" and said[:2] == ["secret", "put"] and len(words) > 2:
        yield call.node(words[2]), "cloudflare", option or "production", ""
    elif name == "netlify" and said[:1] == ["env:set"] and len(words) > 1:
        yield call.node(words[1]), "netlify", call.text(call.option("--context")) or "production", ""
    elif name in ("kubectl", "oc") and said[:2] == ["create", "secret"] and len(words) > 2:
        target = call.text(words[3]) if len(words) > 3 else ""
        for number, word in enumerate(call.args):
            if word.text == "--from-literal" and number + 1 < len(call.args):
                yield _key(call, number + 1), "kubernetes", call.text(call.option("-n", "--namespace")), target
            elif word.text.startswith("--from-literal="):
                yield _key(call, number, 15), "kubernetes", call.text(call.option("-n", "--namespace")), target


def _key(call: Call, number: int, skip: int = 0) -> Node:
    """The name in `NAME=value`, as a node without the value."""
    word = call.args[number]
    text = call.text(word)[skip:]
    name = text.partition("=")[0]
    source = call.script.source
    written = source.text[word.start : word.end]
    at = written.find(name, skip) if name and "*" not in name else -1
    if at < 0:
        return Node(UNKNOWN, "", source, call.start, call.head.end, "'")
    return Node(SCALAR, name, source, word.start + at, word.start + at + len(name), "'")
