"""Turns the words of the command line into commands: reads the configuration, words every refusal, gives exit codes."""

from __future__ import annotations

import os
import tempfile

from .. import report
from ..discover import Unreadable
from ..gate import UsageError
from ..policy import ConfigError
from ..ruleset.load import RuleError
from . import approvals, commands, plan, ship
from .admission import NotAdmitted
from .approvals import ApprovalError
from .commands import DeployError
from .journal import JournalError
from .plan import PlanError
from .snapshot import SnapshotError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..verify.options import Options
    from .config import Place


class Stopped(Exception):
    """A command that was not done: words and the exit code."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


def _guarded(work: Callable[[], int]) -> int:
    try:
        return work()
    except DeployError as error:
        raise Stopped(str(error), error.code) from None
    except JournalError as error:
        # What was done is not known from a journal that cannot be read or written.
        raise Stopped(f"{error}; `elo-gate audit verify` says more", 6) from None
    except NotAdmitted as error:
        raise Stopped(str(error), 1) from None
    except PlanError as error:
        raise Stopped(str(error), 3) from None
    except (ConfigError, UsageError, RuleError, Unreadable, SnapshotError, ApprovalError) as error:
        raise Stopped(str(error), 2) from None
    except OSError as error:
        raise Stopped(f"{error.filename or 'the state'}: {error.strerror}", 2) from None


def run(
    root: str, target: str, only_plan: bool, yes: bool, digest: str | None, go_on: bool, confirm: dict[str, str],
    break_glass: str, no_rollback: bool, as_json: bool, write: Callable[[str], None], ask: Callable[[], bool] | None,
) -> int:  # fmt: skip
    """`elo-gate deploy TARGET`. Raises Stopped."""

    def work() -> int:
        place = commands.place_of(root, target)
        choices = ship.Choices(commands.actor(), break_glass, confirm, no_rollback)
        _known(place, confirm)
        if only_plan:
            with tempfile.TemporaryDirectory(prefix="elo-gate-") as folder:
                return _plan(place, os.path.join(folder, "snapshot"), choices, as_json, write)[0]
        if not yes and ask is None:
            raise DeployError("nothing was changed: there is no terminal to ask on; --yes deploys, --plan shows what")
        if go_on:
            if not yes and ask is not None and not ask():
                raise DeployError("nothing was changed")
            return commands.resume(place, choices)
        commands.ready_state(place)
        id = commands.new_id()
        folder = os.path.join(place.state, id)
        os.mkdir(folder, 0o700)
        begun = False
        try:
            code, prepared, made = _plan(place, os.path.join(folder, "snapshot"), choices, as_json, write)
            if code:
                return code
            if digest is not None and digest != made:
                raise DeployError("the plan is not the one with that digest; nothing was changed", 3)
            if not yes and ask is not None and not ask():
                raise DeployError("nothing was changed")
            code = commands.deploy(place, prepared, id, choices, made)
            begun = True
            return code
        finally:
            if not begun and not any(each["deploy"] == id for each in _records(place)):
                ship.remove(folder)

    return _guarded(work)


def _records(place: Place) -> list[dict[str, object]]:
    from .journal import read

    try:
        return read(os.path.join(place.state, "journal.jsonl"))[0]
    except JournalError:
        return [{"deploy": ""}]


def _known(place: Place, confirm: dict[str, str]) -> None:
    from ..policy.config import nearest

    people = [each.id for each in place.target.checklist if each.run is None]
    for name in confirm:
        if name not in people:
            raise DeployError(f"--confirm {name}: no such item{nearest(name, people)}")


def _plan(
    place: Place, folder: str, choices: ship.Choices, as_json: bool, write: Callable[[str], None]
) -> tuple[int, plan.Prepared, str]:
    """(exit code of the gate, what was prepared, the plan's digest), after the plan or the findings were written."""
    prepared = plan.prepare(place, folder)
    if prepared.admitted is None:
        write(report.render(prepared.run, "json" if as_json else "text", {}))
        return prepared.run.verdict.exit_code or 2, prepared, ""
    made = plan.plan(place, prepared, choices)
    write(commands.as_json(made) if as_json else plan.words_of(made))
    return 0, prepared, made["plan_digest"]


def status(root: str, target: str, live: bool, write: Callable[[str], None]) -> int:
    """`elo-gate deploy status`. Raises Stopped."""

    def work() -> int:
        write(commands.as_json(commands.status(commands.place_of(root, target), live)))
        return 0

    return _guarded(work)


def history(root: str, target: str, write: Callable[[str], None]) -> int:
    """`elo-gate deploy history`. Raises Stopped."""

    def work() -> int:
        write(commands.as_json(commands.history(commands.place_of(root, target))))
        return 0

    return _guarded(work)


def abort(root: str, target: str) -> int:
    """`elo-gate deploy abort`. Raises Stopped."""
    return _guarded(lambda: commands.abort(commands.place_of(root, target), ship.Choices(commands.actor())))


def unlock(root: str, target: str, reason: str) -> int:
    """`elo-gate deploy unlock`. Raises Stopped."""
    return _guarded(lambda: commands.unlock(commands.place_of(root, target), reason))


def approve(root: str, target: str, digest: str, who: str, key: str, hours: int, write: Callable[[str], None]) -> int:
    """`elo-gate deploy approve`. Raises Stopped."""

    def work() -> int:
        place = commands.place_of(root, target)
        if place.target.approvals is None:
            raise DeployError(f"{target}: asks for no approvals")
        commands.ready_state(place)
        write(approvals.sign(place, digest, who, key, hours) + "\n")
        return 0

    return _guarded(work)


def rollback(root: str, target: str, to: str | None, yes: bool, ask: Callable[[str], bool]) -> int:
    """`elo-gate rollback`. Raises Stopped."""

    def work() -> int:
        place = commands.place_of(root, target)
        choices = ship.Choices(commands.actor())
        return commands.rollback(place, to, choices, lambda live, back: yes or ask(f"Roll {live} back to {back}?"))

    return _guarded(work)


def looked_at(root: str, target: str) -> tuple[str, Options]:
    """The address of a target and what a look at it asks for, for `elo-gate verify`. Raises ConfigError."""
    place = commands.place_of(root, target)
    return place.target.url, place.target.verify.look()


def audit(root: str, target: str, write: Callable[[str], None]) -> int:
    """`elo-gate audit verify`. Raises Stopped."""

    def work() -> int:
        place = commands.place_of(root, target)
        wrong = commands.audit(place)
        write("".join(f"{each}\n" for each in wrong) or f"{place.name}: holds\n")
        return 1 if wrong else 0

    return _guarded(work)
