"""`elo-gate show`, `why`, `why-not` and `standard`: what the gate made of a tree."""

from __future__ import annotations

import os
from typing import Any

import click

from .output import LANGUAGES, colour, leave, run_of, stop, write

_NOUNS = ("services", "headers", "env", "files", "pipelines")


@click.command()
@click.argument("noun", type=click.Choice(_NOUNS))
@click.argument("path", default=".")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def show(noun: str, path: str, format_: str, config: str | None) -> None:
    """Print the model of a tree, with the origin of every value."""
    from ..report import show as page

    run = run_of(path, None, config)
    try:
        text = page.render(run.project, noun, format_)
    except page.ModelError as error:
        stop(str(error))
    write("-", text)


@click.command()
@click.argument("place", metavar="FILE:LINE")
@click.argument("path", default=".")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def why(place: str, path: str, config: str | None) -> None:
    """Tell which rules looked at a line, what they saw and what they said."""
    from ..report import why as page

    name, colon, line = place.rpartition(":")
    if not colon or not line.isascii() or not line.isdecimal() or len(line) > 9:
        stop(f"{place!r}: written FILE:LINE, as in vercel.json:24")
    run = run_of(path, None, config)
    try:
        text = page.why(run, _below(name, run), int(line))
    except page.Aside as reason:
        stop(str(reason))
    write("-", text)


@click.command("why-not")
@click.argument("rule")
@click.argument("file")
@click.argument("path", default=".")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
def why_not(rule: str, file: str, path: str, config: str | None) -> None:
    """Tell what a rule answered in a file, and why it did not fire."""
    from ..report import why_not as page
    from ..report.why import Aside

    run = run_of(path, None, config)
    if rule not in run.ruleset.ids:
        from ..policy.config import nearest

        stop(f"no rule '{rule}'{nearest(rule, run.ruleset.ids)}")
    try:
        text = page.why_not(run, rule, _below(file, run))
    except Aside as reason:
        stop(str(reason))
    write("-", text)


@click.command()
@click.argument("path", default=".")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "markdown", "json")), default="text")
@click.option("--as-of", metavar="DATE", help="The day of judgement, YYYY-MM-DD; today where not given.")
@click.option("--config", metavar="FILE", help="This configuration and no other.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="Colours in text.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The language of text and Markdown.")
@click.option("-v", "--verbose", is_flag=True, help="Messages, files behind what passed, every undecided answer.")
def standard(
    path: str, format_: str, as_of: str | None, config: str | None, color: str, lang: str, verbose: bool
) -> None:
    """Judge a tree clause by clause of the production standard; exit codes as of check."""
    from ..report import standard as page

    run = run_of(path, as_of, config)
    write("-", page.render(run, format_, colour(color), verbose, lang))
    leave(run.verdict.exit_code)


def _below(name: str, run: Any) -> str:
    """A file's path below the judged root: as given when it is there, else from the working directory."""
    clean = os.path.normpath(name).replace(os.sep, "/")
    if run.project.exists(clean) and not os.path.isabs(name):
        return clean
    below = os.path.relpath(os.path.realpath(name), run.project.tree.root).replace(os.sep, "/")
    return clean if below.startswith("../") else below
