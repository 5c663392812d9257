"""Turns a judged tree into what `init` writes about it: platforms, services, open variables, the best fixes."""

from __future__ import annotations

from ..inert import inert
from ..model import ERROR, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..gate import Run
    from ..model import Finding
    from ..project import Project

# Kind of file -> the platform it is for.
_PLATFORMS = {"vercel": "vercel", "railway": "railway", "k8s": "kubernetes", "compose": "docker"}
_CLOUDS = {
    "ecs": "aws", "apprunner": "aws", "cloudrun": "gcp", "containerapp": "azure", "staticwebapp": "azure",
}  # fmt: skip
_WEIGHTS = {ERROR: 100, WARNING: 10}
_BREADTH = 9  # more places of one rule do not make it worth more than a worse one


class Best:
    """A rule worth mending first: its first finding, in how many places it was found, in how many files."""

    __slots__ = ("files", "finding", "places")

    def __init__(self, finding: Finding, places: int, files: int) -> None:
        self.finding = finding
        self.places = places
        self.files = files


def platforms(project: Project) -> dict[str, str]:
    """Platform -> the production file by which it is known; an image that nothing else takes is Docker's."""
    found: dict[str, str] = {}
    for artifact in project.judged():
        platform = _PLATFORMS.get(artifact.kind)
        if platform is not None:
            found.setdefault(platform, artifact.path)
        elif artifact.kind == "cloud":
            from ..kinds import cloud

            for service in cloud.VIEWS["services"](artifact):
                name = _CLOUDS.get(str(service.facts["platform"]))
                if name is not None:
                    found.setdefault(name, artifact.path)
    if not found:
        for artifact in project.judged():
            if artifact.kind == "dockerfile":
                found.setdefault("docker", artifact.path)
    return dict(sorted(found.items()))


def services(project: Project) -> dict[str, list[str]]:
    """The services that the files of a tree are stitched to: name -> the files of each."""
    if project.whole() is None:
        return {}
    from ..project import services as stitched

    found: dict[str, list[str]] = {}
    for each in stitched.of(project):
        files = found.setdefault(inert(each.name, 60), [])
        files += sorted({part.path for part in each.parts} - set(files))
    # What is called by its file is a part that was tied to nothing.
    return {name: files for name, files in found.items() if name and name not in files}


def unseen(project: Project, platform: str) -> list[str]:
    """Names of variables that the production needs and that an open platform does not show to hold."""
    if project.whole() is None:
        return []
    from ..project import variables

    if not any(target.platform == platform and target.open for target in variables.of(project).targets):
        return []
    names = set()
    for item in variables.items(project):
        facts = item.facts
        if facts["needed"] and not facts["platform"]:
            if not any(target.platform == platform for target, _ in facts["variable"].given):
                names.add(str(facts["name"]))
    return sorted(name for name in names if name.isascii() and name.isidentifier())


def best(run: Run, count: int = 3) -> list[Best]:
    """The rules whose mending buys most: severity first, then in how many places they were found."""
    groups: dict[str, list[Finding]] = {}
    for finding in run.verdict.findings:
        groups.setdefault(finding.rule.id, []).append(finding)
    ranked = []
    for identifier, findings in groups.items():
        first = max(findings, key=lambda each: _WEIGHTS.get(each.severity, 1))
        worth = sum(sorted((_WEIGHTS.get(each.severity, 1) for each in findings), reverse=True)[:_BREADTH])
        score = float(run.ruleset.words(identifier).get("security") or 0)
        chosen = Best(first, len(findings), len({each.source.path for each in findings}))
        ranked.append((-_WEIGHTS.get(first.severity, 1), -worth, -score, identifier, chosen))
    ranked.sort(key=lambda each: each[:4])
    return [each[4] for each in ranked[:count]]
