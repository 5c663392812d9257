"""Turns a question to a cluster into a run of kubectl: always in the named context, once it is the named server.

What a program of an older version could not do is refused: every option here was tried with 1.32 and 1.37.
"""

from __future__ import annotations

import json
import os
import re
import shutil

from ... import child
from ...platform import Lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ...tool import Tool
    from ...veil import Veil
    from .options import KubernetesOptions

OLDEST = (1, 30)
# A proxy that is none: what a kustomization wants to fetch is not to be had.
NOWHERE = "http://127.0.0.1:9"
# https://github.com/kubernetes/klog: severity, month, day, time
_LOG = re.compile(r"[IWEF][0-9]{4} [0-9:.]+ ")


class Kubectl:
    """Runs kubectl for one target. `seconds` is how long a question may take."""

    __slots__ = ("_options", "_tool", "_veil", "seconds", "_known")

    def __init__(self, options: KubernetesOptions, tool: Tool, veil: Veil, seconds: float) -> None:
        self._options = options
        self._tool = tool
        self._veil = veil
        self.seconds = seconds
        self._known = False

    def words(self, words: Sequence[str]) -> list[str]:
        """The command for words that are meant for the cluster."""
        options = self._options
        return ["kubectl", f"--context={options.context}", f"--namespace={options.namespace}", *words]

    def against(self) -> list[str]:
        """What speaks against this kubectl and this kubeconfig. Raises Lost."""
        program = shutil.which("kubectl")
        if program is None:
            return ["kubectl is not on the PATH"]
        done = self.local("kubectl version", ["version", "--client", "-o", "json"])
        said = self._tool.object("kubectl version", done).get("clientVersion")
        found = re.match(r"v(\d+)\.(\d+)", str(said.get("gitVersion"))) if isinstance(said, dict) else None
        if found is None or (int(found[1]), int(found[2])) < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            return [f"kubectl is older than {wanted}: what it does there was never tried; take a newer one"]
        return self._stranger()

    def local(self, what: str, words: Sequence[str], feed: bytes | None = None) -> child.Done:
        """A run that asks no cluster and can fetch nothing either. Raises Lost."""
        program = shutil.which("kubectl")
        if program is None:
            raise Lost(f"{what}: kubectl is not on the PATH")
        variables = {"KUBECONFIG": os.devnull, "KUBERC": "off"}
        # A kustomization fetches over HTTP, or with git, which it looks for on the PATH.
        cut = {"PATH": os.devnull, "NO_PROXY": "", "no_proxy": ""}
        cut |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
        return self._tool.run(what, [program, *words], self.seconds, feed=feed, variables=variables | cut)

    def run(
        self, what: str, words: Sequence[str], *, seconds: float = 0.0, feed: bytes | None = None,
        codes: Sequence[int] = (0,),
    ) -> child.Done:  # fmt: skip
        """A run that asks the cluster. Raises Lost, also while the context is another cluster's."""
        if not self._known:
            for why in self._stranger():
                raise Lost(f"{what}: {why}")
            self._known = True
        done = self._tool.run(
            what, self.words(words), seconds or self.seconds, feed=feed, codes=range(256), variables=self._variables()
        )
        if done.code not in codes:
            raise Lost(f"{what}: ended with {done.code}: {self.said(done)}")
        return done

    def said(self, done: child.Done) -> str:
        """What kubectl says is wrong, without the log lines of its libraries before it."""
        lines = done.err.decode("utf-8", "replace").splitlines()
        return self._veil.hide(" ".join(each for each in lines if not _LOG.match(each)), 1_000)

    def objects(self, what: str, words: Sequence[str], feed: bytes | None = None) -> list[dict[str, Any]]:
        """The objects that a run of `-o json` prints: none, one, or a list. Raises Lost."""
        return self.parsed(what, self.run(what, [*words, "-o", "json"], feed=feed))

    def parsed(self, what: str, done: child.Done) -> list[dict[str, Any]]:
        """The objects of an output of `-o json`, lists taken apart. Raises Lost."""
        if len(done.out) >= child.CAP:
            raise Lost(f"{what}: an answer of over {child.CAP >> 20} MiB is not read")
        found: list[dict[str, Any]] = []
        decoder = json.JSONDecoder()
        try:
            text = done.out.decode("utf-8").strip()
            while text:
                each, end = decoder.raw_decode(text)
                text = text[end:].lstrip()
                found += each["items"] if each.get("kind") == "List" else [each]
            if not all(isinstance(each, dict) and name(each) for each in found):
                raise ValueError
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
            raise Lost(f"{what}: its answer is not a JSON object of the cluster") from None
        return found

    def _stranger(self) -> list[str]:
        """What the kubeconfig says that the configuration does not. Raises Lost."""
        options = self._options
        if not os.environ.get(options.kubeconfig_env):
            # Without one kubectl asks localhost:8080, whoever that is.
            return [f"${options.kubeconfig_env} is not set: it names the kubeconfig file"]
        done = self._tool.run(
            "kubectl config view",
            ["kubectl", f"--context={options.context}", "config", "view", "--minify", "-o", "json"],
            self.seconds, codes=(0, 1), variables=self._variables(),
        )  # fmt: skip
        if done.code:
            return [f"the kubeconfig has no context {options.context}, or cannot be read"]
        clusters = self._tool.object("kubectl config view", done).get("clusters")
        try:
            server = clusters[0]["cluster"]["server"] if isinstance(clusters, list) else None
        except (KeyError, IndexError, TypeError):
            server = None
        if not isinstance(server, str) or server.rstrip("/") != options.server:
            return [f"the context {options.context} leads to another server than {options.server}; nothing is sent"]
        return []

    def _variables(self) -> Mapping[str, str]:
        return {"KUBECONFIG": os.environ.get(self._options.kubeconfig_env) or os.devnull, "KUBERC": "off"}


def name(found: Mapping[str, Any]) -> str:
    """An object's name; empty where it has none."""
    about = found.get("metadata")
    given = about.get("name") if isinstance(about, dict) else None
    return given if isinstance(given, str) else ""
