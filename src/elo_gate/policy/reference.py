"""Turns a git ref into the policy and the baseline that stood there, so that a change cannot lower its own bar.

What the repository itself holds (the configuration, files it extends, folders of own rules, the baseline) is read from
the commit; what lies outside of it (an installed package, an organisation's file) from disk, for no pull request
changes that.
"""

from __future__ import annotations

import os

from .. import git
from . import ConfigError, Policy
from .config import read, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

NAMES = ("elo-gate.toml", "pyproject.toml")


class Reference:
    """The commit of a ref. `folders` keeps the rules that were written out for the compiler, as long as this lives."""

    __slots__ = ("commit", "folders", "ref", "top")

    def __init__(self, top: str, ref: str) -> None:
        self.top = top
        self.ref = ref
        self.commit = git.commit(top, ref)
        self.folders: list[TemporaryDirectory[str]] = []

    def inside(self, path: str) -> str | None:
        """A path on disk as one of the repository, None when it lies outside."""
        relative = os.path.relpath(os.path.abspath(path), self.top).replace(os.sep, "/")
        return None if relative == ".." or relative.startswith("../") or os.path.isabs(relative) else relative

    def text(self, path: str) -> str | None:
        """The text that a path on disk had in the commit, None when it was not there. Raises GitError."""
        inside = self.inside(path)
        return git.text(self.top, self.commit, inside) if inside is not None else None

    def policy(self, root: str, config: str | None) -> Policy:
        """The commit's policy for a judged root; the default one when it had none. Raises ConfigError, GitError."""
        if config is not None:
            if self.inside(config) is None:
                return read(config, root)
            text = self.text(config)
            if text is None:
                raise ConfigError(f"{config}: there is no such configuration file in {self.ref}")
            return self._read(os.path.abspath(config), text, root)
        folder = root
        while True:
            found = {}
            for name in NAMES:
                text = self.text(os.path.join(folder, name))
                if text is not None and (name == NAMES[0] or "[tool.elo-gate" in text):
                    found[name] = text
            if len(found) == 2:
                raise ConfigError(f"{folder}: both elo-gate.toml and [tool.elo-gate] in {self.ref}; keep one of them")
            for name, text in found.items():
                return self._read(os.path.join(folder, name), text, root)
            above = os.path.dirname(folder)
            if folder in (self.top, above):
                return Policy()
            folder = above

    def _read(self, path: str, text: str, root: str) -> Policy:
        def opened(name: str) -> str:
            found = self.text(name)
            if found is None:
                raise ConfigError(f"{name}: there is no such file in {self.ref}")
            return found

        below = os.path.relpath(root, os.path.dirname(path)).replace(os.sep, "/")
        policy = read_text(path, text, "" if below == "." else below + "/", opened)
        policy.rules = [self._rules(folder, path) for folder in policy.rules]
        # Findings about this policy have no place in the tree that is judged, which may hold another one.
        policy.declared = {key: node for key, node in policy.declared.items() if self._same(path, text)}
        for entry in policy.ignores:
            if not self._same(path, text):
                entry.node = None
        return policy

    def _same(self, path: str, text: str) -> bool:
        try:
            with open(path, encoding="utf-8") as file:
                return file.read() == text
        except (OSError, UnicodeDecodeError):
            return False

    def _rules(self, folder: str, path: str) -> str:
        """A folder of own rules as it was in the commit, written out for the compiler."""
        inside = self.inside(folder)
        if inside is None:
            return folder
        from tempfile import TemporaryDirectory

        held = TemporaryDirectory(prefix="elo-gate-")
        self.folders.append(held)
        for name in git.files(self.top, self.commit, inside):
            rest = os.path.relpath(name, inside).split("/")
            if len(rest) > 2 or ".." in rest or not name.endswith(".yaml"):
                continue
            text = git.text(self.top, self.commit, name)
            target = os.path.join(held.name, *rest)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text or "")
        if not os.listdir(held.name):
            raise ConfigError(f"{path}: rules: {inside}: there is no such folder of rules in {self.ref}")
        return held.name
