"""What the kernel sees of a run: no socket, no other program, nothing written; whatever lies in the tree to tempt Python or git.

The audit hook of boot.py sees what Python does; strace sees what anything in the process does, C extensions included.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
PROOF = "open({!r}, 'w').write('x')\n"
DOORS = {
    "check": ["-P", "-m", "elo_gate", "check", "--as-of=2026-11-25", "-v"],
    "hook": ["-P", "-c", "from elo_gate.hook import main; main()"],
    "action": ["-I", "-B", "-c", "import sys; sys.path[:0] = {path!r}; from elo_gate.action import main; main()"],
}
# Modules that a run imports, or Python by itself, or a tool that finds plugins.
MODULES = (
    "sitecustomize", "usercustomize", "conftest", "yaml", "_yaml", "click", "elo_gate", "tree_sitter", "tree_sitter_bash", "tree_sitter_typescript",
    "json", "re", "pydantic", "tomli", "tomllib", "encodings", "elo_gate_plugin", "setup",
)  # fmt: skip


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, Path]:
    """(a tree full of temptations, the file that shows that one was followed)."""
    tree, proof = tmp_path / "tree", tmp_path / "was-run"
    tree.mkdir()
    code = PROOF.format(str(proof))
    files = {f"{name}{end}": code for name in MODULES for end in (".py", "/__init__.py")}
    shell = f"#!/bin/sh\ntouch '{proof}'\n"
    files |= {
        "Dockerfile.production": "FROM node:latest\nUSER root\n", "elo_gate.pth": f"import os; {code}",
        "elo_gate-9.dist-info/METADATA": "Metadata-Version: 2.1\nName: elo-gate\nVersion: 9\n",
        "elo_gate-9.dist-info/entry_points.txt": "[elo_gate.plugins]\nx = elo_gate_plugin:x\n[console_scripts]\nelo-gate = elo_gate_plugin:x\n",
        "pyproject.toml": '[project]\nname = "x"\n[project.entry-points."elo_gate.plugins"]\nx = "elo_gate_plugin:x"\n[tool.pytest.ini_options]\naddopts = "-p elo_gate_plugin"\n',
        "setup.cfg": "[options.entry_points]\nelo_gate.plugins = x = elo_gate_plugin:x\n", "pyvenv.cfg": "home = .\n", ".python-version": "x\n",
        ".git/HEAD": "ref: refs/heads/main\n", "hook": shell, "git": shell, ".git/hooks/post-index-change": shell, ".git/hooks/post-checkout": shell,
        ".git/config": "[core]\n\tfsmonitor = ./hook\n\thooksPath = .git/hooks\n\tpager = ./hook\n[diff]\n\texternal = ./hook\n[alias]\n\trev-parse = !./hook\n[filter \"x\"]\n\tclean = ./hook\n",
        ".gitattributes": "* filter=x diff=x\n", "elo-gate": shell, "sh": shell, "python": shell,
    }  # fmt: skip
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)
    return tree, proof


@pytest.mark.parametrize("door", DOORS)
def test_what_the_kernel_sees(door: str, planted: tuple[Path, Path], tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not here")
    tree, proof = planted
    trace, out = tmp_path / "trace", tmp_path / "out"
    out.mkdir()
    path = [str(SRC), *(each for each in sys.path if each.endswith("-packages"))]
    environment = {
        "PATH": f".:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(out), "TMPDIR": str(out), "RUNNER_TEMP": str(out),
        "GITHUB_OUTPUT": str(out / "output"), "GITHUB_WORKSPACE": str(tree), "GITHUB_EVENT_NAME": "push",
    }  # fmt: skip
    command = [word.format(path=path) for word in DOORS[door]]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=network,execve,execveat,fork,vfork,clone,clone3,openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat",
         "-o", str(trace), sys.executable, *command],
        cwd=tree, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    rows = trace.read_text(errors="replace").splitlines()
    if not rows:
        pytest.skip(f"this machine lets nobody trace: {done.stderr[:200]}")
    assert done.returncode == (0 if door == "action" else 1), done.stderr[-2000:]
    assert not proof.exists()
    seen = [row for row in rows if re.search(r"\b(?:socket|connect|bind|sendto|accept4?|socketpair)\(", row)]
    assert seen == []
    started = [row for row in rows if "execve(" in row and (" = 0" in row or "unfinished" in row)]
    # The action asks git for the head of the checkout; nobody else starts anything.
    others = [row for row in started[1:] if not (door == "action" and re.search(r'execve\("/[^"]*/git"', row))]
    assert others == []
    if door != "action":
        assert not [row for row in rows if re.search(r"\b(?:fork|vfork|clone3?)\(", row)]
    allowed = (str(out), "/dev/", "/proc/")
    opened = re.compile(r'\b(?:open|openat|creat)\([^"]*"([^"]*)"[^)]*\bO_(?:WRONLY|RDWR|CREAT)')
    changed = re.compile(r'\b(?:renameat2?|rename|unlinkat|unlink|mkdirat|mkdir)\([^"]*"([^"]*)"')
    written = [
        found[1]
        for row in rows
        if (found := opened.search(row) or changed.search(row)) and not found[1].startswith(allowed)
    ]
    assert written == []
