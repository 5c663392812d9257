"""Turns the verbs of a platform into server-side applies of one rendered file, and what they left into observations.

The id of a release is the key of its deploy and a fingerprint of the pod templates that it led to: a template that
somebody else changed is another release, though it still carries our key.
"""

from __future__ import annotations

import os
import time

from ...platform import Handle, Lost
from . import release, workload
from .kubectl import Kubectl
from .lease import Lease
from .options import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ...config import Place
    from ...tool import Tool
    from ...veil import Veil
    from .options import KubernetesOptions

    Objects = list[dict[str, Any]]
    Workloads = dict[str, dict[str, Any] | None]

MANAGER = "elo-gate"
# In an id, for what no deploy of ours has sent.
FOUND = "found"
_COLUMNS = "API:.apiVersion,KIND:.kind,NAME:.metadata.name,KEY:.metadata.annotations"


class Seen:
    """What a cluster has: the configured workloads (None for one that does not exist), and whose deploy they carry.

    `keys` says of each object of the release they carry which deploy sent it last; `id` is None when nothing is live.
    """

    __slots__ = ("workloads", "key", "keys", "fingerprint", "id")

    def __init__(self, workloads: Workloads, key: str, keys: dict[str, str]) -> None:
        self.workloads = workloads
        self.key = key
        self.keys = keys
        self.fingerprint = workload.fingerprint(workloads)
        self.id = f"{key or FOUND}.{self.fingerprint}" if any(workloads.values()) else None

    def without(self, objects: Objects) -> list[str]:
        """Which of the objects that a deploy sent do not carry it; what runs once may be gone by itself."""
        wanted = [release.title(each) for each in objects if each["kind"] not in release.ONCE]
        return [each for each in wanted if self.keys.get(each) != self.key]


class KubernetesPlatform:
    """The verbs of one target."""

    __slots__ = (
        "stage", "back", "finds", "_options", "_auto", "_timeouts", "_veil", "_kubectl", "_kept", "_lease", "_rendered",
    )  # fmt: skip

    def __init__(self, place: Place, options: KubernetesOptions, veil: Veil, tool: Tool) -> None:
        self.stage = False
        self.back = True
        self.finds = True
        self._options = options
        self._auto = place.target.returns
        self._timeouts = place.target.timeouts
        self._veil = veil
        self._kubectl = Kubectl(options, tool, veil, self._timeouts.ask)
        self._kept = release.Kept(place.state)
        self._lease = Lease(self._kubectl, place.name, place.target.longest)
        self._rendered: tuple[tuple[str, str], Objects] | None = None

    def hold(self, key: str) -> str:
        """As Reserves.hold."""
        return self._veil.hide(self._lease.take(key))

    def release(self, key: str) -> None:
        """As Reserves.release."""
        self._lease.give_back(key)

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight."""
        against = self._kubectl.against()
        if against:
            return against
        objects = self._render(snapshot, digest)
        against = release.reasons(objects, self._options)
        if against:
            return against
        done = self._apply("server-side dry run", ["-o", "json", "--dry-run=server", "-f", "-"], objects, codes=(0, 1))
        if done.code:
            return ["the cluster refuses it in a dry run: " + self._kubectl.said(done)]
        if not self._auto:
            return []
        return list(self._no_way_back(self._kubectl.parsed("server-side dry run", done)))

    def current(self) -> str | None:
        """As Platform.current."""
        return self._look().id

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy: the file is kept before it is sent, for the way back of the next one."""
        objects = release.marked(self._render(snapshot, digest), key)
        before = self._look()
        numbers = {name: workload.revision(each) for name, each in before.workloads.items() if each is not None}
        self._kept.keep(key, objects, {"id": before.id, "revisions": numbers})
        self._apply("kubectl apply", ["-o", "name", "-f", self._kept.path(key)], seconds=self._timeouts.deploy)
        found = self.find(key)
        if found is None:
            raise Lost("kubectl apply: it has ended, and the workloads do not carry this deploy")
        return found

    def find(self, key: str) -> Handle | None:
        """As Platform.find.

        The id is of what the deploy leads to, so that a template that somebody changed since is told from it; of one
        that has arrived in part, of what is there.
        """
        seen = self._look()
        if seen.id is None or seen.key != key:
            return None
        kept = self._kept.objects(key)
        return Handle(f"{key}.{self._leads_to(kept)}" if kept and not seen.without(kept) else seen.id)

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status."""
        seen = self._look()
        if seen.id != id:
            return "failed", f"what is live is {seen.id or 'nothing'}", ""
        kept = self._kept.objects(seen.key)
        missing = seen.without(kept)
        if missing:
            return "failed", f"arrived in part: not at {', '.join(missing)}", ""
        told = [
            (name, *(workload.progress(each) if each is not None else ("failed", "does not exist")))
            for name, each in seen.workloads.items()
        ]
        told += [(name, *workload.job(each)) for name, each in self._jobs(kept)]
        for state in ("failed", "pending"):
            words = [f"{name}: {why}" for name, one, why in told if one == state]
            if words:
                return state, self._veil.hide("; ".join(words)), ""
        return "ready", self._veil.hide("; ".join(self._unwatched(kept, seen.key)), 1_000), ""

    def promote(self, id: str) -> None:
        """As Platform.promote: in place there is nothing to promote."""
        raise Lost("promote: a rollout is live from its beginning")

    def rollback(self, id: str) -> None:
        """As Platform.rollback: applies what that deploy sent, or goes back to the templates before it."""
        until = time.monotonic() + self._timeouts.rollback
        key, _, wanted = id.partition(".")
        objects = [each for each in self._kept.objects(key) if each["kind"] not in release.ONCE]
        if objects and self._leads_to(objects) == wanted:
            path = self._kept.path(key)
            once = len(objects) != len(self._kept.objects(key))
            words = ["-o", "name", "-f", "-" if once else path]
            self._apply("kubectl apply", words, objects if once else None, seconds=self._timeouts.rollback)
        else:
            self._undo(id, key)
        for name in self._options.workloads:
            words = ["rollout", "status", _address(name)]
            self._kubectl.run(f"kubectl rollout status {name}", words, seconds=max(1.0, until - time.monotonic()))

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables: of the containers. Of what only the cluster has, kubectl prints names and no value."""
        objects = self._render(snapshot, "")
        names: set[str] = set()
        sources: set[tuple[str, str, str]] = set()
        for each in objects:
            if release.title(each) in self._options.workloads:
                own, more = workload.variables(each)
                names, sources = names | own, sources | more
        here = {release.title(each): {**(each.get("data") or {}), **(each.get("stringData") or {})} for each in objects}
        for kind, name, prefix in sorted(sources):
            if f"{kind}/{name}" in here:
                names |= {prefix + each for each in here[f"{kind}/{name}"]}
                continue
            words = ["get", f"{kind}/{name}", "--ignore-not-found", "-o"]
            template = 'go-template={{range $name, $value := .data}}{{$name}}{{"\\n"}}{{end}}'
            done = self._kubectl.run(f"kubectl get {kind}", [*words, template], codes=(0, 1))
            if done.code:
                return None  # whoever deploys may not read it
            names |= {prefix + each for each in done.out.decode("utf-8", "replace").split()}
        return sorted(names)

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        options = self._options
        get = ["get", *map(_address, options.workloads), "--ignore-not-found", "-o", "json"]
        apply = ["apply", *self._applying()]
        found = [
            get, [*apply, "--dry-run=server", "-f", "RELEASE"], [*apply, "-f", "RELEASE"], get,
            [*apply, "-f", "RELEASE_BEFORE"],
        ]  # fmt: skip
        return [[self._veil.hide(word) for word in self._kubectl.words(words)] for words in found]

    # -- what is there -------------------------------------------------------------------------------------------

    def _look(self) -> Seen:
        """What the cluster has now. Raises Lost.

        An apply is no transaction: one that ended half way may have changed a ConfigMap and no workload yet. So the
        newest key counts, on the workloads and on what the release they carry consists of.
        """
        options = self._options
        words = ["get", *map(_address, options.workloads), "--ignore-not-found"]
        found = {release.title(each): each for each in self._kubectl.objects("kubectl get", words)}
        workloads = {name: found.get(name) for name in options.workloads}
        key = max(map(release.key_of, workloads.values()))
        keys = self._keys(self._kept.objects(key)) if key else {}
        return Seen(workloads, max([key, *keys.values()]), keys if key else {})

    def _keys(self, objects: Objects) -> dict[str, str]:
        """Which deploy each of some objects carries in the cluster; those that do not exist are left out."""
        if not objects:
            return {}
        words = [
            "get", "--ignore-not-found", "--no-headers", "-f", "-",
            "-o", f"custom-columns={_COLUMNS}.{release.KEY}",
        ]  # fmt: skip
        done = self._kubectl.run("kubectl get of the release", words, feed=release.stream(objects))
        found = {}
        for line in done.out.decode("utf-8", "replace").splitlines():
            fields = line.split()
            if len(fields) < 4:
                raise Lost("kubectl get of the release: its answer is not a table of four columns")
            about = {"name": fields[2], "annotations": {release.KEY: fields[3]}}
            each = {"apiVersion": fields[0], "kind": fields[1], "metadata": about}
            found[release.title(each)] = release.key_of(each)
        return found

    def _leads_to(self, objects: Objects) -> str:
        """The fingerprint that applying objects would lead to, as the cluster says in a dry run. Raises Lost."""
        own = [each for each in objects if release.title(each) in self._options.workloads]
        done = self._apply("dry run of a release", ["-o", "json", "--dry-run=server", "-f", "-"], own)
        there = {release.title(each): each for each in self._kubectl.parsed("dry run of a release", done)}
        return workload.fingerprint({name: there.get(name) for name in self._options.workloads})

    def _jobs(self, objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
        """The Jobs of a release that are still in the cluster."""
        names = [f"jobs.batch/{each['metadata']['name']}" for each in objects if each["kind"] == "Job"]
        if names:
            for each in self._kubectl.objects("kubectl get jobs", ["get", *names, "--ignore-not-found"]):
                yield release.title(each), each

    def _unwatched(self, objects: Objects, key: str) -> Iterator[str]:
        """What a person should know of a release that is ready: what nobody waited for, what stayed."""
        titles = {release.title(each) for each in objects}
        rest = sorted(titles - set(self._options.workloads) - {each for each in titles if each.startswith("job/")})
        if rest:
            yield f"applied, not waited for: {', '.join(rest)}"
        earlier = str(self._kept.before(key).get("id") or "").partition(".")[0]
        gone = sorted({release.title(each) for each in self._kept.objects(earlier)} - titles)
        if gone:
            yield f"no longer in the release, not removed: {', '.join(gone)}"

    # -- what is sent --------------------------------------------------------------------------------------------

    def _render(self, snapshot: str, digest: str) -> Objects:
        """The objects of a snapshot, rendered once: what was tried in a dry run is what is sent."""
        if self._rendered is None or self._rendered[0] != (snapshot, digest):
            folder = os.path.join(snapshot, self._options.path)
            self._rendered = (snapshot, digest), release.render(self._kubectl, folder, digest)
        return self._rendered[1]

    def _applying(self) -> list[str]:
        force = ["--force-conflicts"] if self._options.force_conflicts else []
        return ["--server-side", f"--field-manager={MANAGER}", *force]

    def _apply(
        self, what: str, words: Sequence[str], objects: Objects | None = None, *, seconds: float = 0.0,
        codes: Sequence[int] = (0,),
    ) -> Any:  # fmt: skip
        feed = release.stream(objects) if objects is not None else None
        return self._kubectl.run(what, ["apply", *self._applying(), *words], feed=feed, seconds=seconds, codes=codes)

    # -- the way back --------------------------------------------------------------------------------------------

    def _no_way_back(self, wanted: Objects) -> Iterator[str]:
        """Why what is live now could not be live again; `wanted` is the release as the cluster would have it."""
        seen = self._look()
        if seen.id is None:
            return
        found = seen.workloads
        manual = 'rollback = "manual" deploys without a way back'
        new = [name for name, each in found.items() if each is None]
        if new:
            yield f"{', '.join(new)}: new, and a rollback would not remove it; {manual}"
        kept = self._kept.objects(seen.key)
        if kept and not seen.without(kept) and self._leads_to(kept) == seen.fingerprint:
            return
        for name, each in found.items():
            if each is not None and not workload.revision(each):
                yield f"{name}: what is live was not sent from here, so there is no file to go back to; {manual}"
        # `rollout undo` brings back templates and nothing else.
        rest = [each for each in wanted if release.title(each) not in self._options.workloads]
        if rest:
            words = ["get", "--ignore-not-found", "-f", "-"]
            there = {
                release.title(each): each for each in self._kubectl.objects("kubectl get", words, release.stream(rest))
            }
            for each in rest:
                old = there.get(release.title(each))
                if old is not None and release.essence(old) != release.essence(each):
                    yield f"{release.title(each)}: would change, and what is live was not sent from here; {manual}"

    def _undo(self, id: str, key: str) -> None:
        """Goes back to the pod templates that were live as `id`, by the numbers noted before the deploy after it."""
        numbers = self._kept.revisions(id)
        if not numbers or not all(numbers.values()):
            raise Lost(f"rollback: neither a file nor revisions of {id} are known here")
        for name, number in numbers.items():
            words = ["rollout", "undo", _address(name), f"--to-revision={number}"]
            self._kubectl.run(f"kubectl rollout undo {name}", words, seconds=self._timeouts.rollback)
        # The notes of the release that is gone would stay.
        kept = [each for each in self._kept.objects(key) if each["kind"] not in release.ONCE]
        which = ["-f", "-"] if kept else [*map(_address, numbers)]
        notes = [f"{release.KEY}={key}" if kept else f"{release.KEY}-", f"{release.DIGEST}-"]
        feed = release.stream(kept) if kept else None
        self._kubectl.run("kubectl annotate", ["annotate", "--overwrite", *which, *notes], feed=feed)


def _address(name: str) -> str:
    kind, _, own = name.partition("/")
    return f"{KINDS[kind]}/{own}"
