"""The loop by itself, with rules made here: what is found, undecided, failed, and where each of them points."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from elo_gate import engine, examples
from elo_gate.model import SCALAR, Fault, Item, Node, Source, Undecided
from elo_gate.patience import FILE, SHARED, Overdue, Patience
from elo_gate.project import Project
from elo_gate.redact import mask
from elo_gate.ruleset.load import Rule, Ruleset, load

TEXT = "FROM node:24 AS one\nWORKDIR /app\nENV API_PASSWORD=Zr4tYp9wQx7nLv2cHd\nUSER root\n"
FILES = {"Dockerfile.production": TEXT, "b/Dockerfile.production": TEXT}


class Only:
    """A rule set of one rule, taken from a built-in one and changed."""

    def __init__(self, like: str = "docker/root-user", **changes: Any) -> None:
        (found,) = [each for each in load().of("dockerfile") if each.id == like]
        self.rule = Rule.__new__(Rule)
        for name in {name for kind in Rule.__mro__ for name in getattr(kind, "__slots__", ())} | set(
            getattr(found, "__dict__", {})
        ):
            if hasattr(found, name):
                setattr(self.rule, name, getattr(found, name))
        for name, value in changes.items():
            setattr(self.rule, name, value)
        self.aliases: dict[str, str] = {}

    def of(self, kind: str) -> list[Rule]:
        """The rule for Dockerfiles, none for others."""
        return [self.rule] if kind == "dockerfile" else []


def judged(check: Callable[..., Any] | None = None, origins: bool = False, settings: Any = None, elo: bool = False,
           files: dict[str, str] | None = None, **changes: Any) -> engine.Outcome:  # fmt: skip
    """The outcome of one rule whose body is `check`."""
    ruleset: Ruleset = load()
    given = files or FILES
    project = Project(
        examples.MemoryTree(given), examples.AS_OF, ruleset.table, elo=elo, ignores=examples.MemoryIgnores(given)
    )
    project.examined = True
    project.look()
    if check is not None:
        changes = {"check": check, "test": None, "when": None, "messages": {"default": ("It is {0}.", lambda values: [values["what"]])},
                   "fix": ("Write {0}.", lambda values: [values["what"]]), **changes}  # fmt: skip
    return engine.judge(project.subjects(), Only(**changes), settings or {}, mask, origins)  # type: ignore[arg-type]


def whole(item: Item, what: str = "x", **more: Any) -> Fault:
    fault = Fault(item)
    fault.values = {"what": what}
    for name, value in more.items():
        setattr(fault, name, value)
    return fault


def test_a_fault_is_a_finding_at_its_place() -> None:
    outcome = judged(lambda item, artifact, params: [whole(item, "a thing")], select="final_stage")
    assert [each.source.path for each in outcome.findings] == ["Dockerfile.production", "b/Dockerfile.production"]
    first = outcome.findings[0]
    assert (first.message, first.arguments, first.fix, first.fix_arguments) == (
        "It is a thing.",
        ["a thing"],
        "Write a thing.",
        ["a thing"],
    )
    assert first.environment == "production"
    assert outcome.rules == {"docker/root-user"}
    assert outcome.failures == outcome.undecided == []
    assert outcome.origins is None


def test_values_are_masked_and_of_one_line() -> None:
    outcome = judged(
        lambda item, artifact, params: [whole(item, "API_PASSWORD=Zr4tYp9wQx7nLv2cHd\n::error::x" + "y" * 500)]
    )
    for finding in outcome.findings:
        assert "Zr4tYp9w" not in finding.message + finding.fix
        assert "\n" not in finding.message and "\n::" not in finding.fix
        assert len(finding.message) < 200


def test_no_answer_is_no_fault() -> None:
    assert judged(lambda item, artifact, params: None).findings == []


def test_undecided_in_each_of_its_ways() -> None:
    def raises(item: Item, artifact: Any, params: Any) -> Iterator[Fault]:
        raise Undecided("nobody knows")

    def raises_there(item: Item, artifact: Any, params: Any) -> None:
        raise Undecided("nobody knows", Node(SCALAR, "", artifact.source, TEXT.index("USER"), TEXT.index("USER") + 4))

    def says(item: Item, artifact: Any, params: Any) -> list[Any]:
        return [
            Undecided("not here"),
            Undecided("there", Node(SCALAR, "", artifact.source, TEXT.index("ENV"), TEXT.index("ENV") + 3)),
        ]

    one = "Dockerfile.production"
    line = 1
    for check, wanted in (
        (raises, [("docker/root-user", one, line, "nobody knows")]),
        (raises_there, [("docker/root-user", one, 4, "nobody knows")]),
        (says, [("docker/root-user", one, line, "not here"), ("docker/root-user", one, 3, "there")]),
    ):
        outcome = judged(check, select="final_stage", files={one: TEXT})
        assert outcome.undecided == wanted
        assert outcome.findings == outcome.failures == []


def test_a_place_in_another_file_is_told_as_line_one() -> None:
    elsewhere = Source("x", "a\nb\nc\n")

    def raises(item: Item, artifact: Any, params: Any) -> None:
        raise Undecided("nobody knows", Node(SCALAR, "c", elsewhere, 4, 5))

    assert {line for _, _, line, _ in judged(raises).undecided} == {1}


def test_a_rule_that_raises_is_a_failure_and_the_next_file_is_judged() -> None:
    def raises(item: Item, artifact: Any, params: Any) -> list[Fault]:
        if not artifact.path.startswith("b/"):
            raise KeyError("the file says Zr4tYp9wQx7nLv2cHd")
        return [whole(item)]

    outcome = judged(raises, select="final_stage")
    assert outcome.failures == [("docker/root-user", "Dockerfile.production", 1, "the rule failed: KeyError")]
    assert [each.source.path for each in outcome.findings] == ["b/Dockerfile.production"]


@pytest.mark.parametrize(
    "error",
    [RecursionError(), MemoryError(), UnicodeDecodeError("utf-8", b"x", 0, 1, "y")],
    ids=lambda error: type(error).__name__,
)
def test_any_exception_is_a_failure(error: Exception) -> None:
    def raises(item: Item, artifact: Any, params: Any) -> None:
        raise error

    assert {why for *_, why in judged(raises, select="final_stage").failures} == {
        f"the rule failed: {type(error).__name__}"
    }


def test_a_view_that_raises_is_a_failure_of_each_of_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    from elo_gate.kinds import dockerfile

    def broken(artifact: Any) -> list[Item]:
        raise ValueError("text")

    monkeypatch.setitem(dockerfile.VIEWS, "final_stage", broken)
    outcome = judged(lambda *given: None, select="final_stage")
    assert outcome.failures == [
        ("docker/root-user", path, 1, "the view 'final_stage' failed: ValueError") for path in FILES
    ]

    def unknown(artifact: Any) -> list[Item]:
        raise Undecided("not known", Node(SCALAR, "", artifact.source, TEXT.index("USER"), TEXT.index("USER") + 4))

    monkeypatch.setitem(dockerfile.VIEWS, "final_stage", unknown)
    outcome = judged(lambda *given: None, select="final_stage")
    assert outcome.undecided == [("docker/root-user", path, 4, "not known") for path in FILES]


def test_a_flood_of_findings_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST", 3)
    outcome = judged(
        lambda item, artifact, params: [whole(item, str(number)) for number in range(9)], select="final_stage"
    )
    assert len(outcome.findings) == 3 * len(FILES)
    assert outcome.failures == [
        ("docker/root-user", path, 1, "it has more than 3 findings here; the others are not listed") for path in FILES
    ]
    outcome = judged(
        lambda item, artifact, params: [whole(item, str(number)) for number in range(3)], select="final_stage"
    )
    assert (len(outcome.findings), outcome.failures) == (6, [])


@pytest.mark.parametrize(("setting", "fault", "severity"), [
    ((None, {}), None, "error"), (("note", {}), None, "note"), ((None, {}), "warning", "warning"), (("note", {}), "warning", "note"),
])  # fmt: skip
def test_which_severity_counts(setting: Any, fault: str | None, severity: str) -> None:
    outcome = judged(
        lambda item, artifact, params: [whole(item, severity=fault)],
        settings={"docker/root-user": setting},
        severity="error",
    )
    assert {each.severity for each in outcome.findings} == {severity}


def test_the_standards_own_severity_and_that_of_an_assumed_production() -> None:
    def check(item: Item, artifact: Any, params: Any) -> list[Fault]:
        return [whole(item)]

    def found(**more: Any) -> set[tuple[str, str]]:
        return {(each.severity, each.environment) for each in judged(check, severity="warning", **more).findings}

    assert found(elo="error") == {("warning", "production")}, "the run is not one under the standard"
    assert found(files={"Dockerfile": TEXT}, assumed="note") == {("note", "assumed production")}
    assert found(files={"Dockerfile": TEXT}, assumed="") == {("warning", "assumed production")}


def test_off_is_off_and_parameters_are_merged() -> None:
    seen: list[dict[str, Any]] = []

    def check(item: Item, artifact: Any, params: dict[str, Any]) -> None:
        seen.append(params)

    outcome = judged(check, settings={"docker/root-user": ("off", {})}, select="final_stage")
    assert seen == [] and outcome.rules == set()
    judged(check, settings={"docker/root-user": (None, {"b": 2})}, params={"a": 1, "b": 1}, select="final_stage")
    assert seen == [{"a": 1, "b": 2}] * 2


def test_origins_are_kept_where_they_are_asked_for() -> None:
    def check(item: Item, artifact: Any, params: Any) -> list[Fault]:
        return [whole(item)]

    kept = judged(check, origins=True, edit="x", select="final_stage")
    assert kept.origins is not None and set(kept.origins) == set(kept.findings)
    assert {artifact.path for _, _, artifact, _ in kept.origins.values()} == set(FILES)
    none = judged(check, origins=True, edit=None, select="final_stage")
    assert none.origins == {}


def test_related_places() -> None:
    def check(item: Item, artifact: Any, params: Any) -> list[Fault]:
        at = Node(SCALAR, "", artifact.source, 0, 4)
        nowhere = Node(SCALAR, "", Source("", "x"), 0, 1)
        return [whole(item, related=[(at, "token sk_live_51Hq8Zt3LmVw7RxN2cKyPd9B"), (nowhere, "nowhere")])]

    for finding in judged(check, select="final_stage").findings:
        ((source, start, end, words),) = finding.related
        assert (source.path, start, end) == (finding.source.path, 0, 4)
        assert "51Hq8Zt3" not in words


def test_a_finding_without_a_place_stands_at_the_begin() -> None:
    def check(item: Item, artifact: Any, params: Any) -> list[Fault]:
        fault = Fault(Item(Node(SCALAR, "", Source("", "x"), 0, 1), {}))
        fault.values = {"what": "x"}
        return [fault]

    for finding in judged(check, select="final_stage").findings:
        assert finding.source.path in FILES


def test_the_span_of_a_block_is_its_first_line() -> None:
    source = Source("x", "a:  \n  b: 1\n  c: 2\n")
    assert engine.span(Node("map", {}, source, 0, 18)) == (source, 0, 2)
    assert engine.span(Node("scalar", "", source, 0, 12)) == (source, 0, 11)
    assert engine.span(Node("unknown", "", source, 7, 18)) == (source, 7, 18)
    assert engine.span(Node("seq", [], source, 7, 11)) == (source, 7, 11)
    assert engine.span(Node("scalar", "", source, 3, 5)) == (source, 3, 4)
    assert engine.span(Node("scalar", "", source, 5, 5)) == (source, 5, 5)


def test_findings_come_in_the_order_of_the_text() -> None:
    def check(item: Item, artifact: Any, params: Any) -> list[Fault]:
        return [whole(Item(Node(SCALAR, "", artifact.source, at, at + 4), {}), str(at)) for at in (30, 0, 20)]

    outcome = judged(check, select="final_stage")
    places = [(each.source.path, each.start) for each in outcome.findings]
    assert places == [(path, at) for path in FILES for at in (0, 20, 30)]


def test_fill() -> None:
    assert engine.fill("{0} and {1}", ["a", "b"]) == "a and b"
    assert engine.fill("{0}", ["{1}"]) == "{1}"
    assert engine.fill("none", []) == "none"


# -- patience


def busy() -> None:
    while True:
        pass


@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="no such timer here")
def test_work_that_does_not_end_is_ended_and_the_rest_goes_on() -> None:
    import re

    patience = Patience()
    patience._left = 0.0
    for endless in (busy, lambda: re.match(r"(?:a|a)*b", "a" * 64)):
        with pytest.raises(Overdue):
            patience.spend(0.05, endless)
    assert patience.spend(0.05, lambda: 7) == 7
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0), "the clock is stopped"
    assert signal.getsignal(signal.SIGVTALRM) in (signal.SIG_DFL, signal.SIG_IGN, None)


@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="no such timer here")
def test_all_files_share_what_is_beyond_their_own() -> None:
    patience = Patience()
    assert patience._left == SHARED
    patience._left = 0.2

    def work() -> None:
        end = time.process_time() + 0.12
        while time.process_time() < end:
            sum(range(10_000))  # asking for the time is the system's time, which does not count

    patience.spend(FILE, work)
    assert patience._left == 0.2, "its own time is free"
    patience.spend(0.0, work)
    assert 0.0 < patience._left < 0.1
    with pytest.raises(Overdue):
        patience.spend(0.0, busy)
    assert patience._left < 0.05


@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="no such timer here")
def test_many_slow_files_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elo_gate.patience.FILE", 0.2)
    monkeypatch.setattr("elo_gate.patience.MOMENT", 0.02)
    patience = Patience()
    patience._left, patience._slow = 0.0, 0.3
    given = []

    def work() -> None:
        given.append(signal.getitimer(signal.ITIMER_VIRTUAL)[0])
        busy()

    for _ in range(6):
        with pytest.raises(Overdue):
            patience.spend(0.2, work)
    assert patience._slow == 0.0
    assert given[0] > 0.15
    assert max(given[3:]) < 0.05, "a moment for each of the others"
    assert patience.spend(0.2, lambda: 7) == 7


@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="no such timer here")
def test_a_file_that_takes_too_long_is_named_and_the_next_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FILE", 0.05)

    def check(item: Item, artifact: Any, params: Any) -> list[Fault]:
        artifact.project.patience._left = 0.0
        if not artifact.path.startswith("b/"):
            busy()
        return [whole(item)]

    # The clock of the first file is armed before its rules run: what all files share is spent by then.
    monkeypatch.setattr("elo_gate.patience.SHARED", 0.0)
    outcome = judged(check, select="final_stage")
    assert outcome.failures == [("engine", "Dockerfile.production", 1, "it takes too long to judge; not judged")]
    assert [each.source.path for each in outcome.findings] == ["b/Dockerfile.production"]


def test_without_the_timer_nothing_is_bounded() -> None:
    import threading

    made: list[int] = []
    thread = threading.Thread(target=lambda: made.append(Patience().spend(0.0, lambda: 3)))
    thread.start()
    thread.join()
    assert made == [3]


# -- rules that are an expression, and views of several items

MANY = "FROM node:24 AS one\nFROM node:24 AS two\nFROM node:24 AS three\nUSER 1\nNONSENSE x\n"
ONE = "k/Dockerfile.production"


def expressed(
    test: Callable[..., Any], when: Any = None, at: Any = None, select: str = "stages", text: str = MANY
) -> engine.Outcome:
    return judged(files={ONE: text}, check=None, test=test, when=when, at=at, select=select,
                  messages={"default": ("No.", None)}, fix=("Do.", None))  # fmt: skip


def test_an_expression_is_asked_of_every_item() -> None:
    asked: list[int] = []

    def third(item: Item, params: Any, file: Any) -> bool:
        asked.append(item.node.start)
        return len(asked) != 2

    outcome = expressed(third)
    assert len(asked) == 3
    assert [each.source.position(each.start)[0] for each in outcome.findings] == [2]
    assert expressed(lambda *given: True).findings == []
    assert len(expressed(lambda *given: False).findings) == 3


def test_a_condition_leaves_items_out_and_goes_on() -> None:
    asked: list[int] = []

    def second(item: Item, params: Any, file: Any) -> bool:
        asked.append(item.node.start)
        return len(asked) == 2

    outcome = expressed(lambda *given: False, when=second)
    assert len(asked) == 3
    assert [each.source.position(each.start)[0] for each in outcome.findings] == [2]


def test_where_an_expression_points() -> None:
    source = Source(ONE, MANY)
    there = Node(SCALAR, "", source, 5, 9)
    nowhere = Node(SCALAR, "", Source("", "x"), 0, 1)
    plain = [each.start for each in expressed(lambda *given: False).findings]
    for at, wanted in (
        (there, [5, 5, 5]), (Item(nowhere, {}, there), [5, 5, 5]), (Item(there, {}, nowhere), [5, 5, 5]), (nowhere, plain), ("text", plain), (None, plain),
    ):  # fmt: skip
        assert [
            each.start for each in expressed(lambda *given: False, at=lambda *given, at=at: at).findings
        ] == wanted, at


def test_what_an_expression_knows_of_its_file() -> None:
    seen: list[dict[str, Any]] = []

    def look(item: Item, params: Any, file: dict[str, Any]) -> bool:
        seen.append(file)
        return True

    assert expressed(look).failures == []
    assert seen[0] == {
        "path": ONE, "name": "Dockerfile.production", "environment": "production", "assumed": False, "as_of": examples.AS_OF, "elo": False,
    }  # fmt: skip


def test_one_item_that_fails_or_is_undecided_leaves_the_others() -> None:
    count: list[int] = []

    def troubled(item: Item, params: Any, file: Any) -> bool:
        count.append(1)
        if len(count) == 1:
            raise KeyError
        if len(count) == 2:
            raise Undecided("not known", item.node)
        return False

    outcome = expressed(troubled)
    assert (len(outcome.findings), len(outcome.failures), len(outcome.undecided)) == (1, 1, 1)
    assert (
        outcome.failures[0][2] == 1
        and outcome.undecided[0][2] == 2
        and outcome.findings[0].source.position(outcome.findings[0].start)[0] == 3
    )


def test_what_a_reader_met_are_items_of_every_kind() -> None:
    seen: list[tuple[Any, Any, str]] = []

    def look(item: Item, params: Any, file: Any) -> bool:
        seen.append((item.facts["code"], item.facts["message"], item.node.source.text[item.node.start : item.node.end]))
        return False

    outcome = expressed(look, select="problems")
    assert [code for code, _, _ in seen] == ["unknown-instruction"]
    assert "NONSENSE" in seen[0][2] and seen[0][1]
    assert [each.source.position(each.start)[0] for each in outcome.findings] == [5]


# -- several rules, several views


class Both(Only):
    """Two rules for Dockerfiles, on two views."""

    def __init__(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        super().__init__(**first)
        self.other = Only("docker/no-healthcheck", **second).rule

    def of(self, kind: str) -> list[Rule]:
        """Both for Dockerfiles, none for others."""
        return [self.rule, self.other] if kind == "dockerfile" else []


def two(
    first: Any, second: Any, views: tuple[str, str] = ("stages", "stages"), when: Any = None, **more: Any
) -> engine.Outcome:
    """The outcome of two rules; `when` is the condition of the first."""
    ruleset = load()
    project = Project(
        examples.MemoryTree({ONE: MANY}), examples.AS_OF, ruleset.table, ignores=examples.MemoryIgnores({})
    )
    project.examined = True
    project.look()
    plain = {
        "check": None,
        "when": None,
        "at": None,
        "messages": {"default": ("No.", None)},
        "fix": ("Do.", None),
        **more,
    }
    rules = Both(
        {**plain, "test": first, "select": views[0], "when": when}, {**plain, "test": second, "select": views[1]}
    )
    return engine.judge(project.subjects(), rules, {}, mask)  # type: ignore[arg-type]


def found(outcome: engine.Outcome) -> list[str]:
    return sorted(each.rule.id for each in outcome.findings)


def test_one_rule_does_not_silence_another() -> None:
    both = ["docker/no-healthcheck"] * 3 + ["docker/root-user"] * 3

    def holds(*given: Any) -> bool:
        return True

    def fails(*given: Any) -> bool:
        return False

    def raises(*given: Any) -> bool:
        raise KeyError

    def undecided(*given: Any) -> bool:
        raise Undecided("not known")

    assert found(two(fails, fails)) == both
    for quiet in (holds, raises, undecided):
        assert found(two(quiet, fails)) == both[:3]
    assert found(two(fails, fails, when=holds)) == both
    assert found(two(fails, fails, when=fails)) == both[:3]


def test_a_flood_of_one_rule_does_not_silence_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST", 1)
    outcome = two(lambda *given: False, lambda *given: False)
    assert found(outcome) == ["docker/no-healthcheck", "docker/root-user"]
    assert sorted(outcome.failures) == [
        (rule, ONE, 1, "it has more than 1 findings here; the others are not listed")
        for rule in ("docker/no-healthcheck", "docker/root-user")
    ]


def test_the_end_of_a_flood_is_not_the_end_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST", 1)
    asked: list[int] = []

    def last(*given: Any) -> bool:
        asked.append(1)
        return len(asked) < 3

    assert found(two(lambda *given: False, last)) == ["docker/no-healthcheck", "docker/root-user"]
    assert len(asked) == 3


def test_a_view_that_is_not_known_does_not_silence_another(monkeypatch: pytest.MonkeyPatch) -> None:
    from elo_gate.kinds import dockerfile

    for error in (Undecided("not known"), ValueError("x")):

        def broken(artifact: Any, error: Exception = error) -> list[Item]:
            raise error

        with monkeypatch.context() as patch:
            patch.setitem(dockerfile.VIEWS, "copies", broken)
            outcome = two(lambda *given: False, lambda *given: False, ("copies", "stages"))
        assert found(outcome) == ["docker/no-healthcheck"] * 3
        assert len(outcome.undecided) + len(outcome.failures) == 1


def test_a_message_of_an_expression_names_what_the_item_holds() -> None:
    outcome = two(
        lambda *given: False, lambda *given: True, messages={"default": ("It is {0}.", lambda item, params, file: [item.node.source.path])},
        fix=("See {0}.", lambda item, params, file: [file["name"]]),
    )  # fmt: skip
    assert {(each.message, each.fix) for each in outcome.findings} == {(f"It is {ONE}.", "See Dockerfile.production.")}


def test_an_item_that_is_nowhere_is_found_at_the_begin_of_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from elo_gate.kinds import dockerfile

    nowhere = Node(SCALAR, "", Source("", "x"), 0, 1)
    monkeypatch.setitem(dockerfile.VIEWS, "copies", lambda artifact: [Item(nowhere, {})])
    outcome = two(lambda *given: False, lambda *given: True, ("copies", "stages"))
    assert [(each.source.path, each.start, each.end) for each in outcome.findings] == [(ONE, 0, 0)]
    assert outcome.failures == []


def test_a_fault_that_is_nowhere_stands_at_its_item() -> None:
    def check(item: Item, artifact: Any, params: Any) -> list[Fault]:
        fault = Fault(Node(SCALAR, "", Source("", "x"), 0, 1))
        fault.values = {"what": "x"}
        return [fault]

    outcome = judged(check, select="stages", files={ONE: MANY})
    assert [each.source.position(each.start)[0] for each in outcome.findings] == [1, 2, 3]


def test_the_span_of_a_block_at_the_end_of_a_text() -> None:
    source = Source("x", "a: [1, 2]")
    assert engine.span(Node("map", {}, source, 0, 9)) == (source, 0, 9)
    empty = Source("x", "\nb")
    assert engine.span(Node("map", {}, empty, 0, 2)) == (empty, 0, 0)
