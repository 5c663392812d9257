"""Runs cases from the command line, for a look at one: `python drive.py [NAME PREFIX]...`."""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from judge import judge
from trees import cases


def one(name: str) -> str:
    folder = Path(tempfile.mkdtemp(prefix="hostile."))
    try:
        said, notes = judge(cases()[name], folder, both="-q" not in sys.argv)
    except OSError as error:
        said, notes = [f"not made: {error}"], ""
    finally:
        os.system(f"chmod -R u+rwx {folder}; rm -rf {folder}")
    return f"{'ok  ' if not said else 'FAIL'} {name:32} {notes}\n" + "".join(f"       {each}\n" for each in said)


if __name__ == "__main__":
    wanted = [each for each in sys.argv[1:] if not each.startswith("-")]
    names = [name for name in cases() if not wanted or any(name.startswith(each) for each in wanted)]
    with ThreadPoolExecutor(2) as pool:
        for text in pool.map(one, names):
            sys.stdout.write(text)
            sys.stdout.flush()
