"""Turns a Lease of the cluster into a lock that deploys from several machines see: held by the key of a deploy.

It is taken with the version that was read, so that of two only one gets it. It outlives the longest run that the target
allows, is given back at the end, and runs out by itself when the machine that took it is gone.
https://kubernetes.io/docs/concepts/architecture/leases/, 2026-11-25
"""

from __future__ import annotations

import datetime
import json

from ...platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .kubectl import Kubectl

# Clocks of two machines differ.
SKEW = 60
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class Lease:
    """The lock of one target; `seconds` is how long it holds."""

    __slots__ = ("_kubectl", "name", "_seconds")

    def __init__(self, kubectl: Kubectl, target: str, seconds: float) -> None:
        self._kubectl = kubectl
        self.name = f"elo-gate-{target}"
        self._seconds = int(seconds) + 1

    def take(self, key: str) -> str:
        """Takes it for a deploy, or says who holds it. Raises Lost."""
        found = self._read()
        other = _holder(found)
        if other not in ("", key) and not _over(found):
            return f"the lease {self.name} is held by deploy {other}, at the longest until {_end(found)}"
        try:
            self._write(found, key)
        except Lost:
            # Whoever was faster, or an answer that got lost: who holds it now decides.
            if _holder(self._read()) != key:
                raise
        return ""

    def give_back(self, key: str) -> None:
        """Frees it, if a deploy still holds it. Raises Lost."""
        found = self._read()
        if found is not None and _holder(found) == key:
            self._write(found, "")

    def _read(self) -> dict[str, Any] | None:
        words = ["get", f"leases.coordination.k8s.io/{self.name}", "--ignore-not-found"]
        found = self._kubectl.objects("kubectl get lease", words)
        return found[0] if found else None

    def _write(self, found: dict[str, Any] | None, key: str) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime(_TIME)
        about: dict[str, Any] = {"name": self.name}
        spec: dict[str, Any] = {"leaseDurationSeconds": self._seconds, "renewTime": now}
        if found is not None:
            about["resourceVersion"] = found["metadata"].get("resourceVersion")
        if key:
            spec |= {"holderIdentity": key, "acquireTime": now}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about, "spec": spec}
        verb = "create" if found is None else "replace"
        self._kubectl.run(f"kubectl {verb} lease", [verb, "-f", "-", "-o", "name"], feed=json.dumps(lease).encode())


def _holder(found: dict[str, Any] | None) -> str:
    said = ((found or {}).get("spec") or {}).get("holderIdentity")
    return said if isinstance(said, str) else ""


def _ends(found: dict[str, Any] | None) -> datetime.datetime | None:
    spec = (found or {}).get("spec") or {}
    try:
        since = datetime.datetime.strptime(spec["renewTime"], _TIME).replace(tzinfo=datetime.UTC)
        return since + datetime.timedelta(seconds=int(spec["leaseDurationSeconds"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _over(found: dict[str, Any] | None) -> bool:
    ends = _ends(found)
    return ends is not None and datetime.datetime.now(datetime.UTC) > ends + datetime.timedelta(seconds=SKEW)


def _end(found: dict[str, Any] | None) -> str:
    ends = _ends(found)
    return ends.strftime("%Y-%m-%d %H:%M:%S UTC") if ends else "somebody deletes it"
