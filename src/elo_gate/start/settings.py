"""Turns what a survey found into the text of elo-gate.toml: what holds now, and as comments what may be said."""

from __future__ import annotations

from ..kinds import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..project import Project

# What a promise is good for -> the kinds of file in whose trees it can be held.
_PROMISES = {
    "alerts": ("k8s", "workflow", "gitlab"),
    "hpa": ("k8s",),
    "pdb": ("k8s",),
    "rate-limit": ("nginx", "code"),
    "rollback": ("workflow", "gitlab", "k8s"),
    "scheduled-backup": ("sql", "script", "schedule"),
}
_NAMES = 12
# Kinds of which a tree often holds one file for each environment.
_TOLD = ("compose", "dockerfile", "env", "k8s")
# Of an example or an archive nobody wonders whether it is production.
_ENVIRONMENTS = ("staging", "development", "test", "demo")


def quoted(text: str) -> str:
    """A TOML string in one printable line, whatever a file is called."""
    import json

    from ..inert import inert

    return json.dumps(inert(text), ensure_ascii=False)


def _list(words: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, words)) + "]"


def text(
    project: Project,
    platforms: dict[str, str],
    services: dict[str, list[str]],
    unseen: dict[str, list[str]],
    baseline: str,
) -> str:
    """The file; `unseen` is platform -> names of variables, `baseline` the name of a file, or empty."""
    return "\n".join(_lines(project, platforms, services, unseen, baseline)) + "\n"


def _lines(
    project: Project,
    platforms: dict[str, str],
    services: dict[str, list[str]],
    unseen: dict[str, list[str]],
    baseline: str,
) -> Iterator[str]:
    yield "# What this repository declares about its own judgement; `elo-gate doctor` shows what counts and why."
    yield ""
    yield "# The lowest severity that blocks: error, warning, note."
    yield 'fail_on = "error"'
    if platforms:
        yield ""
        yield "# Where it is deployed to:"
        for name, path in platforms.items():
            yield f"#   {name}, by {_word(path)}"
        yield f"platforms = {_list(platforms)}"
    yield ""
    yield "# Findings that were there on the first day. `elo-gate baseline prune` takes out what is mended."
    yield f"baseline = {quoted(baseline)}" if baseline else '# baseline = "elo-gate-baseline.json"'
    yield ""
    yield "# The numbers of the standard itself (replicas, timeouts, lengths of secrets) become errors."
    yield '# standard = "elo"'
    kinds = {artifact.kind for artifact in project.judged()}
    promises = sorted(name for name, where in _PROMISES.items() if kinds.intersection(where))
    if promises:
        yield ""
        yield "# What your documents promise and these files have to hold."
        yield f"# promises = {_list(promises)}"
    for name, names in unseen.items():
        more = len(names) - _NAMES
        yield ""
        yield f"# Variables that {name} holds where no file shows it: names, never values. Needed and not seen there:"
        yield "# [[provided]]"
        yield f'# platform = "{name}"'
        yield f"# names = {_list(names[:_NAMES])}" + (f" # and {more} more: elo-gate show env" if more > 0 else "")
    aside = [each for each in project.all() if each.state == "aside" and each.environment in _ENVIRONMENTS]
    aside = [each for each in aside if each.kind in _TOLD]
    assumed = [each for each in project.judged() if each.assumed and each.kind in _TOLD]
    if aside or assumed:
        yield ""
        yield "# Which files are production. `elo-gate show files` says how each was told."
        for artifact in aside[:5]:
            yield f"#   set aside: {_word(artifact.path)}, {artifact.environment} ({_word(artifact.why)})"
        if len(aside) > 5:
            yield f"#   and {len(aside) - 5} more"
        for artifact in assumed[:5]:
            yield f"#   assumed production: {_word(artifact.path)} ({KINDS[artifact.kind][1]})"
        yield "# [[environment]]"
        yield '# name = "production"'
        yield f"# files = {_list([(aside or assumed)[0].path])}"
    if len(services) > 1:
        yield ""
        yield "# Files of one service that were not tied to it; `elo-gate show services` shows the ties."
        yield "# [[service]]"
        name, files = next(iter(services.items()))
        yield f"# name = {quoted(name)}"
        yield f"# files = {_list(files[:6])}"


def _word(text: str) -> str:
    from ..inert import inert

    return inert(text, 100)
