"""The second door: file names in, verdict out, no options. What a git hook runs on every commit.

`elo-gate-hook` judges the whole working directory; `elo-gate-hook FILE...` those files, with rules that need only
them. Every argument is a file name, also one that begins with `-`; settings belong into elo-gate.toml. One exception is
made for editors: `elo-gate-hook --stdin-filename FILE` judges what stdin holds as that file, unless there is a file of
the name `--stdin-filename`.
"""

from __future__ import annotations

import os
import sys

STDIN = "--stdin-filename"


def main() -> None:
    """Runs the hook and ends the process: 0 passed or nothing to judge, 1 blocked, 2 broken."""
    import gc

    # A short run allocates much and frees nothing: collecting only costs time.
    gc.disable()
    from .ending import ending

    ending(lambda: run(sys.argv[1:]))


def run(names: list[str]) -> int:
    """The exit code for file names relative to the working directory; the report is on stdout."""
    from . import gate
    from .discover import Unreadable
    from .inert import inert
    from .policy import ConfigError

    root = os.path.realpath(os.getcwd())
    files = tree = None
    try:
        if len(names) == 2 and names[0] == STDIN and not os.path.lexists(STDIN):
            from .start import overlay

            files = [overlay.below(root, names[1])]
            tree = overlay.Overlay(root, {files[0]: overlay.text_of(sys.stdin.buffer, names[1])})
        elif names:
            files = []
            for name in names:
                path = os.path.join(root, name)
                if not os.path.lexists(path) or os.path.isdir(path):
                    raise gate.UsageError(f"{inert(name)}: no file of that name; settings belong into elo-gate.toml")
                relative = os.path.relpath(
                    os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)), root
                )
                if relative.startswith(os.pardir + os.sep):
                    raise gate.UsageError(f"{inert(name)}: outside of the working directory")
                files.append(relative.replace(os.sep, "/"))
        done = gate.run(root, files=files, hook=True, tree=tree)
    except (gate.UsageError, ConfigError, Unreadable) as error:
        from .redact import mask

        print(f"elo-gate: {inert(mask(str(error)))}", file=sys.stderr)
        return 2
    verdict = done.verdict
    if verdict.findings or verdict.reasons:
        from .report import text

        sys.stdout.write(text.render(done, colour=False))
    return verdict.exit_code
