"""What every platform has to keep: a class of tests over a fixture `stage` that a platform's own test module gives.

`stage.platform` is the platform, `stage.snapshot` a folder to ship; `stage.break_(verb, how)` makes a verb refuse, talk
nonsense, hang, lose its answer before or after it acted; `stage.arrivals(key)` counts what arrived under a key;
`stage.first` is the id of what is live at the beginning, `r0` where it is not given.
"""

from __future__ import annotations

from typing import Any

import pytest

from elo_gate.deploy.platform import Lost, Reserves

DIGEST = "5" * 64


def first(stage: Any) -> str:
    """The id of what is live at the beginning."""
    return str(getattr(stage, "first", "r0"))


class Conformance:
    """Subclass it in a module that has the fixture."""

    def test_what_is_sent_is_found_by_its_key_and_gets_ready(self, stage: Any) -> None:
        before = stage.platform.current()
        handle = stage.platform.deploy(stage.snapshot, DIGEST, "k1")
        found = stage.platform.find("k1")
        assert found is not None and found.id == handle.id and found.url == handle.url
        assert stage.platform.find("k2") is None
        assert stage.platform.status(handle.id)[0] == "ready"
        assert stage.arrivals("k1") == 1
        if stage.platform.stage:
            assert stage.platform.current() == before
            stage.platform.promote(handle.id)
        assert stage.platform.current() == handle.id

    def test_a_rollback_makes_the_release_before_live(self, stage: Any) -> None:
        before = stage.platform.current()
        handle = stage.platform.deploy(stage.snapshot, DIGEST, "k1")
        if stage.platform.stage:
            stage.platform.promote(handle.id)
        stage.platform.rollback(before)
        assert stage.platform.current() == before

    @pytest.mark.parametrize("how", ["lost-before", "lost-after"])
    def test_a_lost_answer_is_lost_and_can_be_looked_for(self, stage: Any, how: str) -> None:
        stage.break_("deploy", how)
        with pytest.raises(Lost):
            stage.platform.deploy(stage.snapshot, DIGEST, "k1")
        assert (stage.platform.find("k1") is not None) == (how == "lost-after")

    @pytest.mark.parametrize("verb", ["current", "deploy", "find", "status"])
    @pytest.mark.parametrize("how", ["refuse", "nonsense", "hang"])
    def test_no_answer_is_never_taken_for_one(self, stage: Any, verb: str, how: str) -> None:
        stage.break_(verb, how)
        words = {"current": (), "deploy": (stage.snapshot, DIGEST, "k1"), "find": ("k1",), "status": (first(stage),)}[
            verb
        ]
        with pytest.raises(Lost) as caught:
            getattr(stage.platform, verb)(*words)
        assert stage.canary not in str(caught.value)

    @pytest.mark.parametrize("verb", ["promote", "rollback"])
    def test_a_refused_effect_is_lost(self, stage: Any, verb: str) -> None:
        stage.break_(verb, "refuse")
        with pytest.raises(Lost) as caught:
            getattr(stage.platform, verb)(first(stage))
        assert stage.canary not in str(caught.value)

    def test_a_lock_of_its_own_is_held_by_one_deploy(self, stage: Any) -> None:
        platform = stage.platform
        if not isinstance(platform, Reserves):
            pytest.skip("it has none")
        assert platform.hold("k1") == "" and platform.hold("k1") == "", "a run that is resumed keeps it"
        assert "k1" in platform.hold("k2")
        platform.release("k2")
        assert "k1" in platform.hold("k2"), "given back by a deploy that never held it"
        platform.release("k1")
        assert platform.hold("k2") == ""

    def test_variables_are_names_or_not_said(self, stage: Any) -> None:
        names = stage.platform.variables(stage.snapshot)
        assert names is None or stage.canary not in repr(names)

    @pytest.mark.parametrize("how", ["pending", "failed"])
    def test_a_state_is_told_as_it_is(self, stage: Any, how: str) -> None:
        stage.break_("status", how)
        assert stage.platform.status(first(stage))[0] == how

    def test_its_calls_show_no_value(self, stage: Any) -> None:
        assert stage.canary not in repr(stage.platform.calls())
