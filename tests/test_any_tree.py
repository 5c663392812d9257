"""Any broken file: no reader, view or rule raises. The files are the rules' own examples, with parts cut out or put in."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elo_gate.examples import AS_OF, judge_tree, tree_of
from elo_gate.ruleset.compile import read_rule, rule_files
from elo_gate.ruleset.load import Ruleset, data_dir, load

ODD = st.sampled_from([
    "", " ", "\t", "\n", "\n  ", "\r\n", "\\", "'", '"', "`", "{", "}", "[", "]", "(", ")", "${", "${A:-", "$(", "#", "//", "=", ":", ": ", "- ",
    "&a ", "*a", "!", "|", ">", "---\n", "\x00", "\x07", "\x85", "\u2028", "\ufeff", "\U0001f600", "0", "-1", "1e999", "9" * 5000, "0x1f", "²", "٣",
    "null", "~", "[]", "{}", "true", "<<: *a", "latest", "@sha256:", "${X}", "x" * 300,
])  # fmt: skip


@cache
def rules() -> Ruleset:
    return load()


@cache
def trees() -> list[dict[str, str]]:
    found = []
    for identifier, path in rule_files(data_dir("rules")):
        rule = read_rule(identifier, path)
        found += [tree_of(rule, example) for example in (*rule.bad, *rule.good, *rule.undecided)]
    return found


@st.composite
def broken(draw: st.DrawFn) -> dict[str, str]:
    files = dict(trees()[draw(st.integers(0, len(trees()) - 1))])
    for path, text in files.items():
        for _ in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, len(text)))
            end = min(len(text), start + draw(st.integers(0, 12)))
            text = text[:start] + draw(st.one_of(ODD, st.just(text[start:end] * 2))) + text[end:]
        files[path] = text
    return files


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(broken())
def test_a_broken_tree_is_judged(files: dict[str, str]) -> None:
    outcome = judge_tree(files, rules(), AS_OF)
    assert outcome.failures == []
    for finding in outcome.findings:
        assert 0 <= finding.start <= finding.end <= len(finding.source.text)
