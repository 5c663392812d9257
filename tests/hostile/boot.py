"""Turns a door of elo-gate into one that is watched: whatever it opens, starts or connects to is looked at.

`python boot.py WATCH DOOR ARG...`: WATCH is a JSON object with `tree` (nothing in it may be written), `out` (the only
folder that may), `outside` (no file in it may be opened), `git` (whether that one program may be started); DOOR is `check`, `hook` or
`action`, the step of a GitHub workflow. A violation ends the process with 99 and says on stderr what it was.
"""

from __future__ import annotations

import json
import os
import sys

_STARTED = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.")
_CHANGED = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.utime",
            "os.truncate", "shutil.", "tempfile.")  # fmt: skip
_CONNECTED = ("socket.", "ftplib.", "smtplib.", "urllib.", "http.", "imaplib.", "poplib.", "nntplib.", "telnetlib.")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def watch(tree: str, out: str, outside: str, git: bool) -> None:
    """Ends the process at the first thing that a judged tree must not bring about."""

    def below(path: object, folder: str) -> bool:
        if not isinstance(path, (str, bytes)) or not folder:
            return False
        try:
            real = os.path.realpath(os.fsdecode(path))
        except (OSError, ValueError):
            return False
        return real == folder or real.startswith(folder + os.sep)

    def stop(event: str, what: object) -> None:
        os.write(2, f"WATCHED {event} {what!r:.300}\n".encode("ascii", "backslashreplace"))
        os._exit(99)

    def hook(event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            path, mode, flags = given
            wants = isinstance(flags, int) and flags & _WRITES or isinstance(mode, str) and set(mode) & set("wax+")
            if wants and not below(path, out) and path != os.devnull:
                stop("writes", path)
            if below(path, outside):
                stop("reads outside", path)
        elif event == "import":
            pass
        elif (
            event.startswith(_CONNECTED)
            or (event.startswith(_STARTED) and not (git and os.path.basename(os.fsdecode(given[0] or "")) == "git"))  # type: ignore[arg-type]
            or event.startswith(_CHANGED)
            and not all(below(path, out) for path in given if isinstance(path, (str, bytes)))
        ):
            stop(event, given)
        elif event in ("exec", "compile"):
            name = getattr(given[0], "co_filename", None) if event == "exec" else given[1]
            if isinstance(name, str) and not name.startswith("<") and below(name, tree):
                stop(event, given)

    sys.addaudithook(hook)


def main() -> None:
    """Runs a door under watch."""
    settings, door, *words = sys.argv[1:]
    wanted = json.loads(settings)
    sys.path.pop(0)
    sys.argv = ["elo-gate", *words]
    if door == "check":
        from elo_gate.cli import main as run

        sys.argv.insert(1, "check")
    elif door == "action":
        from elo_gate.action import main as run
    else:
        from elo_gate.hook import main as run
    watch(wanted["tree"], wanted["out"], wanted["outside"], wanted.get("git", False))
    run()


if __name__ == "__main__":
    main()
