"""Answers what GitLab makes of a pipeline: when production is deployed, in which images, and what stays behind."""

from __future__ import annotations

import re

from ..kinds import gitlab
from ..model import MAP, UNKNOWN, Fault, Item, Node, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.jobs import Job, Pipeline
    from ..model import Artifact

    Answer = Iterator[Fault | Undecided]

_FORMATS = ("cobertura", "jacoco")


def _own(it: Item) -> Artifact:
    """The file of an item's pipeline: one that a job starts has its own."""
    pipeline: Pipeline = it.facts["pipeline"]
    return pipeline.artifact


def starts_by_itself(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a job that deploys to production without anybody's starting it."""
    job = it.facts["job"]
    if job.manual is None:
        yield Undecided("it depends on the pipeline whether somebody starts it", it)
    elif job.manual is False and not _waits(job):
        branches = ", ".join(dict.fromkeys(job.branches or ())) or "every branch"
        yield Fault(it, job=job.id, branches=branches.replace("?", "other conditions"))


def _waits(job: Job) -> bool:
    """A job before it has to be started by hand, and the pipeline stops there (`allow_failure: false`)."""
    for name, _ in job.needs:
        other = job.pipeline.job(name)
        if other is not None and other.manual and other.allow_failure is False:
            return True
    return False


def any_branch(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a production job that every branch's pipeline has."""
    job = it.facts["job"]
    if job.branches is not None:
        return
    excluded = job.node.get("except")
    if excluded:
        yield Undecided("`except` leaves over what cannot be told", it)
    else:
        yield Fault(it, job=job.id, how="anybody who may push can start it" if job.manual else "each push starts it")


def no_resource_group(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a production job of which two may run at once."""
    job = it.facts["job"]
    if job.concurrency or job.node.get("resource_group"):
        return
    yield Fault(job.node.key("environment") or it, job=job.id)


def no_environment_url(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a production environment without an address."""
    node = it.facts["job"].node
    environment = gitlab.config(_own(it)).resolve(node.get("environment"))
    if environment.kind is UNKNOWN or not environment:
        return
    if not (environment.kind is MAP and environment.get("url")):
        name = environment.get("name") if environment.kind is MAP else environment
        yield Fault(node.key("environment"), name=name.text() or "production")


def no_environment(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a production job that names no environment."""
    job = it.facts["job"]
    if not job.environment:
        yield Fault(it, job=job.id, command=job.id, related=[(it.facts["deploys"][0].place, "this deploys")])


def optional_deploy(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a manual production job whose failure the pipeline passes over, because nobody said else."""
    job = it.facts["job"]
    node = job.node
    if job.manual and job.allow_failure and not node.get("allow_failure") and not node.get("rules"):
        yield Fault(node.get("when"), job=job.id)


def refused(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for what makes GitLab refuse the file: names that nothing defines, jobs that do nothing."""
    config = gitlab.config(_own(it))
    jobs = list(config.jobs())
    if config.open:
        yield Undecided(config.open, it)
        return
    yield from (Fault(each, message="extends", name=each.text() or "") for each in config.missing)
    names = {key.value for key, _ in jobs}
    listed = [each.text() or "" for each in config.flat(config.root.get("stages") or config.root.get("types"))]
    stages = {".pre", ".post", *(listed or ("build", "test", "deploy"))}
    for key, node in jobs:
        stage = node.get("stage")
        name = stage.text()
        if name is not None and name not in stages and "$" not in name:
            yield Fault(
                stage, message="stage", name=name, job=key.value, stages=", ".join(listed) or "build, test, deploy"
            )
        if not any(node.get(word) for word in ("script", "run", "trigger")) and not config.missing:
            yield Fault(key, message="idle", job=key.value)
        old = node.key("only") or node.key("except")
        if old and node.get("rules"):
            yield Fault(old, message="both", job=key.value, word=old.value)
        for each in config.flat(node.get("needs")):
            need = each.get("job") if each.kind is MAP else each
            name = need.text()
            elsewhere = each.kind is MAP and (
                each.get("pipeline")
                or each.get("project")
                or each.get("optional").boolean() is not False
                and each.get("optional")
            )
            if name is not None and name not in names and not elsewhere and "$" not in name:
                yield Fault(need, message="needs", job=key.value, name=name)
        for each in config.flat(node.get("dependencies")):
            name = each.text()
            if name is not None and name not in names and "$" not in name:
                yield Fault(each, message="needs", job=key.value, name=name)


def old_conditions(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for the `only` and `except` of a file."""
    places = []
    for key, node in gitlab.config(_own(it)).root.items():
        if node.kind is MAP and key.value not in gitlab.RESERVED:
            places += [(word, node.key(word), key.value) for word in ("only", "except") if node.key(word)]
    if places:
        word, at, job = places[0]
        yield Fault(
            at,
            [(other, f"`{name}` of '{owner}'") for name, other, owner in places[1:]],
            word=word,
            job=job,
            count=len(places),
        )


# -- artifacts


def _artifacts(file: Artifact) -> Iterator[tuple[str, Node, Node]]:
    """(job, key of its artifacts, the artifacts) of each job that keeps some of its own."""
    for config, key, node in gitlab.jobs(file):
        found = config.resolve(node.get("artifacts"))
        if found.kind is MAP:
            yield key.value, node.key("artifacts"), found


def kept_artifacts(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields one fault for the jobs whose artefacts have no end."""
    places: dict[int, tuple[str, Node]] = {}
    for job, key, node in _artifacts(_own(it)):
        if node.get("paths") and not node.get("expire_in"):
            places.setdefault(key.start, (job, key))
    found = list(places.values())
    if found:
        jobs = "', '".join(job for job, _ in found[:4])
        yield Fault(found[0][1], [(key, f"and those of '{job}'") for job, key in found[1:]], jobs=jobs)


def kept_modules(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for each `node_modules` that is passed on as an artefact."""
    seen = set()
    for job, _, node in _artifacts(_own(it)):
        for path in node.get("paths").elements():
            text = (path.text() or "").rstrip("/*").removeprefix("./")
            if (text == "node_modules" or text.endswith("/node_modules")) and path.start not in seen:
                seen.add(path.start)
                yield Fault(path, job=job, path=path.text() or "")


def refused_report(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a coverage report of a form that GitLab refuses."""
    for job, _, node in _artifacts(_own(it)):
        reports = node.get("reports")
        if reports.key("cobertura"):
            yield Fault(reports.key("cobertura"), message="removed", job=job)
        report = reports.get("coverage_report")
        if report.kind is not MAP:
            continue
        form = report.get("coverage_format")
        text = form.text()
        if not form or not report.get("path"):
            missing = "coverage_format" if not form else "path"
            yield Fault(reports.key("coverage_report"), message="missing", job=job, missing=missing)
        elif text is not None and "$" not in text and text not in _FORMATS:
            yield Fault(form, job=job, format=text)


def unwritten_report(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a Cobertura report that the tree's test runner is not told to write."""
    project = file.project
    for job, _, node in _artifacts(_own(it)):
        report = node.get("reports", "coverage_report")
        if report.get("coverage_format").text() != "cobertura" or not report.get("path").text():
            continue
        package = project.package("package.json")
        runner = next((each for each in ("vitest", "jest") if package is not None and package.has(each)), "")
        if not runner:
            raise Undecided("nothing here says what writes the report", report.get("path"))
        lines = [
            each.text() or "" for config, key, one in gitlab.jobs(_own(it)) for each in config.flat(one.get("script"))
        ]
        script = " ".join(lines)
        texts = [script, project.text("package.json") or ""]
        for name in project.names(""):
            if name.startswith((runner + ".", "vite.", "vitest.workspace", ".nycrc")):
                texts.append(project.text(name) or "")
        if not any("cobertura" in text for text in texts):
            yield Fault(report.get("path"), job=job, path=report.get("path").text() or "", runner=runner)


def unread_coverage(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a coverage pattern that asks the row `All files` for a percent sign it does not have."""
    seen = set()
    for config, job, node in gitlab.jobs(_own(it)):
        pattern = config.resolve(node.get("coverage"))
        text = (pattern.text() or "").strip("/")
        if pattern.start in seen or "All files" not in text:
            continue
        seen.add(pattern.start)
        rest = text[text.index("All files") :]
        if _PERCENT.search(rest) and "|" not in rest.replace("||", ""):
            yield Fault(pattern, job=job.value, pattern=text)


_PERCENT = re.compile(r"(?<!\[)\\?%\)?\$?\Z")
_BUILT = (".next", ".vercel", "dist", "build", "out", ".output", ".svelte-kit")


def built_twice(it: Item, file: Artifact, params: dict[str, Any]) -> Answer:
    """Yields a fault for a deployment that has Vercel build anew what an earlier job built and hands on."""
    job: Job = it.facts["job"]
    for deploy in it.facts["deploys"]:
        call = deploy.call
        if deploy.platform != "vercel" or call is None or call.flag("--prebuilt") is not None:
            continue
        if call.texts[:1] in (["promote"], ["redeploy"], ["rollback"], ["alias"]):
            continue
        built = _handed_on(job)
        if built is not None:
            yield Fault(deploy.place, [(built, "what was built before")], job=job.id, path=built.text() or "")
            return


def _handed_on(job: Job) -> Node | None:
    """The path of a build that the job gets from one before it."""
    config = gitlab.config(job.pipeline.artifact)
    wanted = config.resolve(job.node.get("dependencies"))
    names = {each.text() for each in config.flat(wanted)} if wanted else None
    unfetched = {
        each.get("job").text()
        for each in config.flat(job.node.get("needs"))
        if each.get("artifacts").boolean() is False
    }
    before = {name for name, _ in job.needs}
    for name, _, node in _artifacts(job.pipeline.artifact):
        if name not in before or name in unfetched or (names is not None and name not in names):
            continue
        for path in config.flat(node.get("paths")):
            if any(part in _BUILT for part in (path.text() or "").split("/")):
                return path
    return None
