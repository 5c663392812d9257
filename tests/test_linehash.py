"""The hash of a line is the one that its definition gives, however many lines begin alike."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from elo_gate.model import Source
from elo_gate.report.linehash import LineHashes


def by_definition(text: str, number: int) -> str:
    """github/codeql-action, src/fingerprints.ts, step by step: 100 units without blanks from each line's begin."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    seen: dict[tuple[int, ...], int] = {}
    for at in range(number):
        bare = "\n".join(lines[at:]).replace(" ", "").replace("\t", "")
        data = bare.encode("utf-16-le", "surrogatepass")
        units = [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]
        window = tuple([*units, 65535, *[0] * 100][:100])
        seen[window] = seen.get(window, 0) + 1
    value = 0
    for unit in window:
        value = (value * 37 + unit) % 2**64
    return f"{value:x}:{seen[window]}"


LINE = st.text("ab \t:é\U0001f600", max_size=130) | st.sampled_from(
    ["", "}", "  }", "a: b", "x" * 120, "\U0001f600" * 60]
)


@given(st.lists(LINE, min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
@example(["\U0001f600" * 60 + "a", "\U0001f600" * 60 + "b"], "\n")
def test_every_line_has_the_hash_of_its_definition(lines: list[str], end: str) -> None:
    text = end.join(lines)
    hashes = LineHashes(Source("a.yaml", text))
    for number in range(1, len(lines) + 1):
        assert hashes.of(number) == by_definition(text, number)
