"""`elo-gate explain` and `elo-gate rules`: what rules want, new ones, their tests."""

from __future__ import annotations

import click

from .output import LANGUAGES, leave, stop, write


@click.command()
@click.argument("rule")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="The language of the words.")
def explain(rule: str, lang: str) -> None:
    """Show what a rule wants, why, how to fix it, its sources and examples."""
    from ..ruleset import page
    from ..ruleset.load import load

    ruleset = load()
    if rule not in ruleset.ids:
        from ..policy.config import nearest

        stop(f"no rule '{rule}'{nearest(rule, ruleset.ids)}")
    write("-", page.explain(ruleset, rule, lang))


@click.group()
def rules() -> None:
    """List, scaffold and test rules."""


@rules.command("list")
@click.option("-f", "--format", "format_", type=click.Choice(("text", "json")), default="text")
def rules_list(format_: str) -> None:
    """Every rule: id, severity, title."""
    from ..ruleset import page
    from ..ruleset.load import load

    write("-", page.listing(load(), format_))


@rules.command("new")
@click.argument("rule")
def rules_new(rule: str) -> None:
    """Write rules/<folder>/<name>.yaml to start from."""
    from ..ruleset import page

    try:
        path = page.scaffold(rule)
    except page.ScaffoldError as error:
        stop(str(error))
    print(f"wrote {path}; next: elo-gate rules test {rule}")


@rules.command("test")
@click.argument("names", nargs=-1)
@click.option("--folder", help="A rules folder other than the built-in one.")
def rules_test(names: tuple[str, ...], folder: str | None) -> None:
    """Run the examples of rules: by id, by folder, or all."""
    from ..examples import test_rules
    from ..ruleset.load import RuleError

    try:
        tested, complaints = test_rules(names, folder)
    except RuleError as error:
        stop(str(error))
    for complaint in complaints:
        print(complaint)
    print(f"{tested} rules tested, {len(complaints)} complaints")
    leave(1 if complaints or not tested else 0)
