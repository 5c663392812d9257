"""Draws the pictures of the documents from real runs: `python docs/img/terminal.py` writes check.svg beside itself.

A terminal's colours and weights become an SVG of text: small, sharp, and a difference shows in review.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1] / "examples" / "intranet-before"
COMMAND = ("check", "scripts/rollback.sh")

_WIDTH, _ADVANCE, _LINE, _EDGE = 116, 7.8, 18, 16
_COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea"}


def run() -> str:
    """What a terminal gets of the command, escapes included."""
    source = str(HERE.parents[1] / "src")
    done = subprocess.run(
        [sys.executable, "-m", "elo_gate", *COMMAND, "--as-of", "2026-11-25", "--color", "always"],
        cwd=TREE, env={**os.environ, "PYTHONPATH": source}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 1:
        raise SystemExit(f"the example is expected to be blocked:\n{done.stdout}{done.stderr}")
    return done.stdout


def svg(command: str, output: str) -> str:
    """A picture of a terminal: the command as it was typed, and its output with colours."""
    rows = [[("font-weight:700", f"$ {command}")], [], *_rows(output)]
    height = len(rows) * _LINE + 2 * _EDGE
    width = int(_WIDTH * _ADVANCE) + 2 * _EDGE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{escape(command)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
        '<g fill="#e6edf3" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" '
        'font-size="13">',
    ]
    for number, row in enumerate(rows):
        x, y = float(_EDGE), _EDGE + (number + 1) * _LINE - 5
        for style, text in row:
            shown = text.strip()
            if shown:
                # The length holds the columns where a reader's font is wider; SVG runs plain spaces together.
                at = x + (len(text) - len(text.lstrip())) * _ADVANCE
                length = f'textLength="{len(shown) * _ADVANCE:.1f}" lengthAdjust="spacingAndGlyphs"'
                look = f' style="{style}"' if style else ""
                words = escape(shown, quote=False).replace(" ", "&#160;")
                lines.append(f'<text x="{at:.1f}" y="{y}" {length}{look}>{words}</text>')
            x += len(text) * _ADVANCE
    return "\n".join([*lines, "</g>", "</svg>"]) + "\n"


def _rows(output: str) -> list[list[tuple[str, str]]]:
    """Rows of (style, text), broken between words where the terminal ends."""
    rows = []
    for line in output.rstrip("\n").split("\n"):
        row: list[tuple[str, str]] = []
        style, used = "", 0
        for part in re.split(r"(\x1b\[[0-9;]*m)", line):
            if part.startswith("\x1b"):
                style = _style(part[2:-1])
                continue
            for word in re.findall(r"\s+|\S+", part):
                if used + len(word) > _WIDTH:
                    rows.append(row)
                    row, used = [], 0
                    if word.isspace():
                        continue
                if row and row[-1][0] == style:
                    row[-1] = (style, row[-1][1] + word)
                else:
                    row.append((style, word))
                used += len(word)
        rows.append(row)
    return rows


def _style(codes: str) -> str:
    styles = []
    for code in codes.split(";"):
        if code in _COLOURS:
            styles.append(f"fill:{_COLOURS[code]}")
        elif code == "1":
            styles.append("font-weight:700")
        elif code == "2":
            styles.append("fill:#8b949e")
    return ";".join(styles)


def picture() -> str:
    """The picture that the README shows."""
    return svg("elo-gate " + " ".join(COMMAND), run())


if __name__ == "__main__":
    (HERE / "check.svg").write_text(picture(), encoding="utf-8")
