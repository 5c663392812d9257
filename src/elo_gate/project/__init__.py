"""Turns a tree into artifacts, each with its environment, and answers what rules ask about the rest of the tree."""

from __future__ import annotations

from .. import discover, environment
from ..kinds import (
    KINDS,
    PROGRAMS,
    always_k8s,
    kind_by_content,
    kind_of,
    misshapen,
    module_of,
    reason_unjudged,
)
from ..model import Artifact, Problem, Source
from ..patience import FILE, TREE, Overdue, Patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..model import Node

IGNORED = "git ignores it"
WHOLE = "project"
# Folders that hold what runs an image.
_DEPLOYING = frozenset(
    ("k8s", "kubernetes", "kustomize", "manifests", "kubernetes-manifests", "deploy", "deployment", "deployments",
     "helm", "helm-chart", "charts", "docker", "compose", "infra", "infrastructure", "ops", "gitops", "argocd")
)  # fmt: skip


class Project:
    """One judged tree.

    `partial` says that only some files are looked at, so that nothing may be concluded from what is not found.
    `aside` is path -> why for everything that is not judged and has no artifact. `programs` are the paths of program
    code, for what it reads from its environment. `facts` keeps what the model of the whole tree has worked out.
    `promises`, `services_named` (name, tests of paths) and `provided` (platform -> names) are what the configuration
    declares; `declared` is (key, word) -> where a platform or a promise stands in it.
    """

    __slots__ = (
        "tree", "as_of", "elo", "platforms", "promises", "services_named", "provided", "declared", "partial",
        "examined", "aside", "table", "programs", "facts", "patience",
        "unread", "_alike_in", "_artifacts", "_sources", "_packages", "_ignores",
        "_exclude", "_environments", "_known",
    )  # fmt: skip

    def __init__(
        self,
        tree: Any,
        as_of: str,
        table: Callable[[str], Any],
        elo: bool = False,
        platforms: Iterable[str] = (),
        exclude: Callable[[str], bool] | None = None,
        environments: Callable[[str], str | None] | None = None,
        ignores: Any = None,
    ) -> None:
        self.tree = tree
        self.as_of = as_of
        self.elo = elo
        self.platforms = tuple(platforms)
        self.partial = ""
        self.aside: dict[str, str] = {}
        self.table = table
        self.programs: list[str] = []
        self.examined = False  # an example of a rule is judged as if there were more files
        self.facts: dict[str, Any] = {}
        self.patience = Patience()
        self.unread: dict[str, str] = {}  # files asked for that the system did not hand out, and why
        self.promises: tuple[str, ...] = ()
        self.services_named: list[tuple[str, tuple[Callable[[str], bool], ...]]] = []
        self.provided: dict[str, set[str]] = {}
        self.declared: dict[tuple[str, str], Node] = {}
        self._artifacts: dict[str, Artifact] = {}
        self._known: dict[str, list[Artifact]] | None = None
        self._sources: dict[str, Source | None] = {}
        self._packages: dict[str, Any] = {}
        self._alike_in: dict[tuple[str, str], list[str]] = {}
        self._ignores = ignores if ignores is not None else discover.Ignores(tree)
        self._exclude = exclude
        self._environments = environments

    # -- building

    def look(self) -> None:
        """Recognises and loads every file of the tree."""
        for path, ignored in discover.walk(self.tree, self._ignores):
            self._meet(path, ignored)
        for path, why in sorted(getattr(self.tree, "special", {}).items()):
            kind = kind_of(path)
            if kind in KINDS and not self._ignores.ignored(path) and not (self._exclude and self._exclude(path)):
                self._unread(path, kind, why)
        self._settle()

    def look_at(self, paths: Iterable[str]) -> None:
        """Recognises and loads the named files only."""
        self.partial = "only the named files are looked at"
        for path in sorted(set(paths)):
            self._meet(path, self._ignores.ignored(path))
        self._settle()

    def _meet(self, path: str, ignored: bool) -> None:
        kind = kind_of(path)
        if self._exclude is not None and self._exclude(path):
            if kind is not None:
                self.aside[path] = "excluded by the configuration"
            return
        if ignored:
            if kind is not None and kind in KINDS:
                self.aside[path] = IGNORED
            return
        if path.endswith(PROGRAMS):
            self.programs.append(path)
        if kind is None:
            self.aside[path] = reason_unjudged(path)
            return
        self._load(path, kind)

    def _load(self, path: str, kind: str) -> Artifact | None:
        if path in self._artifacts:
            return self._artifacts[path]
        content_decides = kind not in KINDS
        looks_like = getattr(module_of(kind), "looks_like", None) if not content_decides else None
        try:
            text = discover.decode(self.tree.read(path))
        except discover.Unreadable as error:
            if looks_like is not None and not self._alike(looks_like, path, self._shreds(path)):
                self.aside[path] = reason_unjudged(path)
                if isinstance(error, discover.Failed):
                    self.unread[path] = str(error)
                return None
            if content_decides and not always_k8s(path):
                self.aside[path] = reason_unjudged(path)
                if isinstance(error, discover.Failed):
                    self.unread[path] = str(error)
                return None
            return self._unread(path, "k8s" if content_decides else kind, str(error))
        if content_decides:
            found = "k8s" if kind == "yaml" and always_k8s(path) else kind_by_content(text)
            if found is None or (kind == "json" and found == "compose"):
                self.aside[path] = reason_unjudged(path)
                return None
            kind = found
        elif looks_like is not None and not self._alike(looks_like, path, text):
            self.aside[path] = reason_unjudged(path)
            return None
        source = self._sources.setdefault(path, Source(path, text)) or Source(path, text)
        artifact = Artifact(source, kind)
        artifact.project = self
        self._artifacts[path] = artifact
        module = module_of(kind)
        self._try(artifact, FILE, module.load)
        wrong = misshapen(kind, artifact.root) if artifact.state == "judged" else None
        if wrong is not None:
            node, wanted = wrong
            artifact.problems.append(Problem("shape", f"{wanted} has to stand here", node.start, node.start + 1, True))
        if kind == "railway" and path.endswith(".json") and not module.recognises(artifact.root):
            if not artifact.problems:
                del self._artifacts[path]
                self.aside[path] = "a railway.json that is not Railway's configuration"
                return None
        if artifact.state == "judged":
            self._classify(artifact)
            if artifact.environment != environment.PRODUCTION:
                artifact.state = "aside"
            elif any(problem.fatal for problem in artifact.problems):
                artifact.state = "broken"
        return artifact

    def _try(self, artifact: Artifact, free: float, work: Callable[[Artifact], Any]) -> Any:
        """What some work on an artifact returns; one that fails or does not end breaks the artifact, never the run."""
        try:
            return self.patience.spend(free, lambda: work(artifact))
        except Overdue:
            why = "it takes too long to read"
        except Exception as error:
            why = f"the reader failed: {type(error).__name__}"
        artifact.problems.append(Problem("failed", why, 0, 0, True))
        return None

    def _alike(self, looks_like: Callable[[str, str], bool], path: str, text: str) -> bool:
        """Whether a file is of the kind of its name; yes where that cannot be told."""
        try:
            return self.patience.spend(FILE, lambda: looks_like(path, text))
        except (Overdue, Exception):
            return True

    def _shreds(self, path: str) -> str:
        """What can be made out of a file that is no sound text, to tell whether it matters; never shown."""
        try:
            return bytes(self.tree.read(path)).decode("utf-8", "replace")
        except discover.Unreadable:
            return ""

    def _unread(self, path: str, kind: str, why: str) -> Artifact:
        """An artifact that cannot be read: the run is broken when it is production."""
        artifact = Artifact(Source(path, ""), kind)
        artifact.project = self
        artifact.problems = [Problem("unreadable", why, 0, 0, True)]
        self._classify(artifact)
        artifact.state = "broken" if artifact.environment == environment.PRODUCTION else "aside"
        self._artifacts[path] = artifact
        return artifact

    def _classify(self, artifact: Artifact) -> None:
        """Sets environment, assumed and why: by the configuration, path, siblings, content, or assumption."""
        path, kind = artifact.path, artifact.kind
        named = self._environments(path) if self._environments is not None else None
        if named is not None:
            artifact.environment, artifact.assumed, artifact.why = named, False, "the configuration says so"
            return
        found = environment.by_path(path, kind)
        if found is None and kind in environment.TWINS:
            found = environment.by_siblings(path, kind, self._alike_beside(path.rpartition("/")[0], kind))
        if found is None and not any(problem.fatal for problem in artifact.problems):
            found = self._try(artifact, FILE, module_of(kind).signs)
        if found is not None:
            artifact.environment, artifact.why = found
            artifact.assumed = False
        else:
            artifact.environment, artifact.assumed = environment.PRODUCTION, True
            artifact.why = "nothing says otherwise"

    def _alike_beside(self, folder: str, kind: str) -> list[str]:
        """The names of the files of a kind in a folder."""
        found = self._alike_in.get((folder, kind))
        if found is None:
            files, _ = self.tree.names(folder)
            found = [name for name in files if kind_of(f"{folder}/{name}" if folder else name) == kind]
            self._alike_in[folder, kind] = found
        return found

    def _settle(self) -> None:
        """The second look: what a file is beside the others (a base that another file overrides, a patch)."""
        self._known = None
        for path in sorted(self._artifacts):
            artifact = self._artifacts[path]
            module = module_of(artifact.kind)
            settle = getattr(module, "settle", None)
            if settle is not None:
                self._try(artifact, TREE, settle)
            parts = getattr(module, "parts", None)
            if parts is not None and artifact.state == "judged":
                for part in self._try(artifact, TREE, parts) or ():
                    other = self._artifacts.get(part)
                    if other is not None and other is not artifact and other.state == "judged":
                        other.state, other.why = "aside", f"judged as part of {path}"
                        self._known = None
            if artifact.state == "judged" and any(problem.code == "failed" for problem in artifact.problems):
                artifact.state = "broken"

    # -- questions

    @property
    def joined(self) -> bool:
        """Whether rules that look across files run: not when `partial`, nor for one file of which nothing is declared.

        A model of the whole tree costs more than the one file that there is.
        """
        if self.partial:
            return False
        if self.examined or len(self._artifacts) > 1 or self.elo or self.platforms or self.promises:
            return True
        return any(path not in self._artifacts for path in self.programs)

    def whole(self) -> Artifact | None:
        """The tree as one artifact of the kind "project", whose views are the model's; None when not `joined`."""
        if not self.joined:
            return None
        artifact = Artifact(Source("", ""), WHOLE)
        artifact.project = self
        artifact.assumed = False
        return artifact

    def judged(self) -> list[Artifact]:
        """The artifacts that are judged, by path."""
        return [self._artifacts[path] for path in sorted(self._artifacts) if self._artifacts[path].state == "judged"]

    def subjects(self) -> list[Artifact]:
        """What rules look at: the judged artifacts and, where files are `joined`, the tree as a whole."""
        whole = self.whole()
        return [*self.judged(), whole] if whole is not None else self.judged()

    def all(self) -> list[Artifact]:
        """Every artifact, by path."""
        return [self._artifacts[path] for path in sorted(self._artifacts)]

    def artifacts(self, kind: str) -> list[Artifact]:
        """The artifacts of a kind, any state, by path. Only the named ones when `partial`."""
        if self._known is None or len(self._artifacts) != sum(map(len, self._known.values())):
            self._known = {}
            for path in sorted(self._artifacts):
                self._known.setdefault(self._artifacts[path].kind, []).append(self._artifacts[path])
        return self._known.get(kind, [])

    def artifact(self, path: str) -> Artifact | None:
        """The artifact at a path, loaded on demand; None when there is no such file or it is of no kind."""
        found = self._artifacts.get(path)
        if found is None and self.exists(path) and not self.tree.is_folder(path) and not self.ignored(path):
            kind = kind_of(path)
            if kind is not None:
                found = self._load(path, kind)
                if found is not None and self.partial and found.state == "judged":
                    found.state, found.why = "aside", "read for what another file takes from it"
        return found

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return bool(self.tree.exists(path.strip("/")))

    def names(self, folder: str) -> list[str]:
        """Names in a folder, folders with a final `/`."""
        files, folders = self.tree.names(folder.strip("/"))
        return sorted([*files, *(name + "/" for name in folders)])

    def text(self, path: str) -> str | None:
        """The text at a path, not kept; None as for `read`."""
        artifact = self._artifacts.get(path)
        if artifact is not None and artifact.source.text:
            return artifact.source.text
        try:
            return discover.decode(self.tree.read(path))
        except discover.Failed as error:
            self.unread[path] = str(error)
        except discover.Unreadable:
            pass
        return None

    def read(self, path: str) -> Source | None:
        """The text at a path, None when absent, too large, not text, or outside of the root."""
        if path not in self._sources:
            self._sources[path] = None
            if self.tree.exists(path) and not self.tree.is_folder(path):
                try:
                    self._sources[path] = Source(path, discover.decode(self.tree.read(path, discover.HARD_LIMIT)))
                except discover.Failed as error:
                    self.unread[path] = str(error)
                except discover.Unreadable:
                    pass
        return self._sources[path]

    def package(self, path: str) -> Any:
        """The nearest package.json at or above a path, None when there is none."""
        folder = path.rpartition("/")[0]
        if folder not in self._packages:
            from ..kinds import package

            self._packages[folder] = package.nearest(self, path)
        return self._packages[folder]

    def elsewhere(self) -> str:
        """In words, what of the root may deploy this and is not looked at, when only some files are; else empty."""
        if self.partial:
            for name in self.names(""):
                bare = name.rstrip("/").lower()
                if bare in _DEPLOYING or bare.startswith(("compose.", "docker-compose")):
                    return f"'{bare}' is not looked at"
        return ""

    def ignored(self, path: str) -> bool:
        """Whether git ignores a path."""
        return bool(self._ignores.ignored(path))

    def tracked(self, path: str) -> bool | None:
        """Whether git tracks a path; None outside of a checkout."""
        return self._ignores.tracked(path)
