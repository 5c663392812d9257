"""Turns a bucket behind CloudFront into a platform: a release is a prefix, the origin path says which one is live.

Each release is uploaded whole below a prefix of its own, so that half a release is never seen and the one before stays
where it is. With a `preview` distribution a release is looked at there before users see it; without one it goes live
and is looked at then.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile

from pydantic import Field

from ..fields import Address, Table
from ..platform import Handle, Lost, identity
from .aws import Account, Aws, objects, pick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config import Place
    from ..tool import Tool
    from ..veil import Veil

IMMUTABLE = "public, max-age=31536000, immutable"
FRESH = "public, max-age=0, must-revalidate"
# Written last, beside the release and not in it: what it names is whole.
MARK = "elo-gate/{key}.json"


class Preview(Table):
    """A second distribution over the same bucket, where a release is looked at first."""

    distribution: str = Field(pattern=r"^[A-Z0-9]{8,20}$")
    url: Address


class S3StaticOptions(Account):
    """`immutable` are patterns of paths whose names change with their content; everything else is asked for anew."""

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    prefix: str = Field(default="releases", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    distribution: str = Field(pattern=r"^[A-Z0-9]{8,20}$")
    preview: Preview | None = None
    immutable: list[str] = Field(default=["_next/static/*", "assets/*"], max_length=20)

    def stages(self) -> bool:
        """As Options.stages."""
        return self.preview is not None

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return True


class S3StaticPlatform:
    """The verbs of one distribution. An id is the last word of an origin path; `root` is the bucket itself."""

    __slots__ = ("stage", "back", "finds", "_options", "_times", "_veil", "_aws", "_home")

    def __init__(self, place: Place, options: S3StaticOptions, veil: Veil, tool: Tool) -> None:
        self.stage = options.stages()
        self.back = True
        self.finds = True
        self._options = options
        self._times = place.target.timeouts
        self._veil = veil
        self._home = tool.home
        self._aws = Aws(options, tool, place.target.timeouts.ask)

    def preflight(self, snapshot: str, digest: str) -> list[str]:
        """As Platform.preflight."""
        against = self._aws.against()
        if not os.path.isfile(os.path.join(snapshot, "index.html")):
            against.append("the artifact has no index.html")
        against += [f"{each}: a link, and a bucket has none" for each in links(snapshot)[:3]]
        for name in self._distributions():
            if not self._settled(name):
                against.append(f"distribution {name} is still on its way to another state")
        return against

    def current(self) -> str | None:
        """As Platform.current: while the edge changes, nobody knows which release a user gets."""
        name = self._options.distribution
        if not self._settled(name):
            raise Lost(f"current: distribution {name} is on its way to another state")
        return self._id(name)

    def deploy(self, snapshot: str, digest: str, key: str) -> Handle:
        """As Platform.deploy."""
        self._upload(snapshot, digest, key)
        if self._options.preview is not None:
            self._point(self._options.preview.distribution, key)
            return Handle(key, self._options.preview.url)
        self._point(self._options.distribution, key)
        return Handle(key)

    def find(self, key: str) -> Handle | None:
        """As Platform.find: a release has arrived when it is whole and the distribution looks at it."""
        preview = self._options.preview
        if not self._whole(key) or self._id(preview.distribution if preview else self._options.distribution) != key:
            return None
        return Handle(key, preview.url if preview else "")

    def status(self, id: str) -> tuple[str, str, str]:
        """As Platform.status: ready when the edge serves it and has forgotten what it had."""
        preview = self._options.preview
        url = preview.url if preview else ""
        for name in self._distributions():
            if self._id(name) == id:
                if not self._settled(name):
                    return "pending", f"distribution {name} is not everywhere yet", url
                return "ready", "", url
        return "failed", "no distribution looks at it", url

    def promote(self, id: str) -> None:
        """As Platform.promote."""
        if not self._whole(id):
            raise Lost("promote: no whole release of that name is in the bucket")
        self._point(self._options.distribution, id)

    def rollback(self, id: str) -> None:
        """As Platform.rollback. A release that elo-gate did not upload is taken as whole where its index is there."""
        if not self._whole(id) and not self._there(f"{self._path(id).lstrip('/')}/index.html".lstrip("/")):
            raise Lost("rollback: no such release is in the bucket")
        self._point(self._options.distribution, id)

    def variables(self, snapshot: str) -> list[str] | None:
        """As Platform.variables: files have none of their own."""
        return None

    def calls(self) -> list[list[str]]:
        """As Platform.calls."""
        argv = self._aws.argv
        target = f"s3://{self._options.bucket}/{self._options.prefix}/KEY/"
        names = self._distributions()
        return [
            argv("cloudfront", "get-distribution", "--id", self._options.distribution),
            argv("s3", "cp", "SNAPSHOT", target, "--recursive"),
            *(
                argv("cloudfront", "update-distribution", "--id", each, "--distribution-config", "FILE")
                for each in names
            ),
            *(argv("cloudfront", "create-invalidation", "--distribution-id", each, "--paths", "/*") for each in names),
        ]

    def _distributions(self) -> list[str]:
        preview = self._options.preview
        return [*([preview.distribution] if preview else []), self._options.distribution]

    def _path(self, id: str) -> str:
        return "" if id == "root" else f"/{self._options.prefix}/{id}"

    def _distribution(self, name: str) -> dict[str, Any]:
        return self._aws.ask("aws cloudfront get-distribution", "cloudfront", "get-distribution", "--id", name)

    def _settled(self, name: str) -> bool:
        """Whether a distribution is everywhere what it was told to be, and has forgotten what it had."""
        found = pick(self._distribution(name), "Distribution") or {}
        return found.get("Status") == "Deployed" and found.get("InProgressInvalidationBatches") == 0

    def _origin(self, config: dict[str, Any]) -> dict[str, Any]:
        """The one origin of a distribution that is the bucket. Raises Lost."""
        found = [
            each
            for each in objects(config, "Origins", "Items")
            if str(each.get("DomainName")).startswith(self._options.bucket + ".s3")
        ]
        if len(found) != 1:
            raise Lost(
                f"the distribution has {len(found)} origins that are bucket {self._options.bucket}, and needs one"
            )
        return found[0]

    def _id(self, name: str) -> str:
        answer = self._distribution(name)
        path = str(self._origin(pick(answer, "Distribution", "DistributionConfig") or {}).get("OriginPath") or "")
        if not path:
            return "root"
        head, _, last = path.rpartition("/")
        # Below another prefix than ours: somebody else's, and not ours to go back to.
        return identity(
            "current", last if head == f"/{self._options.prefix}" else "other:" + path.lstrip("/"), self._veil
        )

    def _point(self, name: str, id: str) -> None:
        """Lets a distribution look at a release, if nobody else has changed it in between."""
        what = "aws cloudfront update-distribution"
        answer = self._distribution(name)
        config = copy.deepcopy(pick(answer, "Distribution", "DistributionConfig"))
        if not isinstance(config, dict) or id.startswith("other:"):
            raise Lost(f"{what}: not a release of this prefix")
        self._origin(config)["OriginPath"] = self._path(id)
        with tempfile.TemporaryDirectory(dir=self._home) as folder:
            path = os.path.join(folder, "config.json")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(config, file)
            self._aws.ask(
                what, "cloudfront", "update-distribution", "--id", name, "--distribution-config", f"file://{path}",
                "--if-match", str(answer.get("ETag")),
            )  # fmt: skip
        self._aws.ask(
            "aws cloudfront create-invalidation", "cloudfront", "create-invalidation", "--distribution-id", name,
            "--paths", "/*",
        )  # fmt: skip

    def _upload(self, snapshot: str, digest: str, key: str) -> None:
        """Sends every file, looks whether each is there, and only then says that the release is whole."""
        target = f"s3://{self._options.bucket}/{self._options.prefix}/{key}/"
        patterns = self._options.immutable
        seconds = self._times.deploy
        # Filters are read in order, the last that fits counts.
        fresh = [word for each in patterns for word in ("--exclude", each)]
        kept = ["--exclude", "*", *(word for each in patterns for word in ("--include", each))]
        for control, words in ((FRESH, fresh), (IMMUTABLE, kept)):
            self._aws.say(
                "aws s3 cp", "s3", "cp", ".", target, "--recursive", "--no-follow-symlinks", "--only-show-errors",
                "--cache-control", control, "--metadata", f"elo-release={digest}", *words, seconds=seconds,
                folder=snapshot,
            )  # fmt: skip
        sent = self._sizes(f"{self._options.prefix}/{key}/")
        meant = sizes(snapshot)
        if sent != meant:
            wrong = sorted(path for path in set(sent) | set(meant) if sent.get(path) != meant.get(path))
            raise Lost(
                self._veil.hide(f"aws s3 cp: {len(wrong)} files are not as they were sent, the first is {wrong[0]}")
            )
        with tempfile.TemporaryDirectory(dir=self._home) as folder:
            path = os.path.join(folder, "mark.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"key": key, "digest": digest, "files": len(meant)}, file)
            self._aws.ask(
                "aws s3api put-object", "s3api", "put-object", "--bucket", self._options.bucket, "--key",
                MARK.format(key=key), "--body", path,
            )  # fmt: skip

    def _sizes(self, prefix: str) -> dict[str, int]:
        """Key below a prefix -> bytes, page by page: an answer is bounded."""
        found: dict[str, int] = {}
        more: list[str] = []
        while True:
            answer = self._aws.ask(
                "aws s3api list-objects-v2", "s3api", "list-objects-v2", "--bucket", self._options.bucket, "--prefix",
                prefix, "--max-items", "1000", *more,
            )  # fmt: skip
            found |= {
                str(each.get("Key"))[len(prefix) :]: int(each.get("Size", -1)) for each in objects(answer, "Contents")
            }
            if not pick(answer, "NextToken"):
                return found
            more = ["--starting-token", str(answer["NextToken"])]

    def _whole(self, key: str) -> bool:
        return key != "root" and self._there(MARK.format(key=key))

    def _there(self, key: str) -> bool:
        answer = self._aws.ask(
            "aws s3api list-objects-v2", "s3api", "list-objects-v2", "--bucket", self._options.bucket, "--prefix", key,
            "--max-items", "5",
        )  # fmt: skip
        return any(each.get("Key") == key for each in objects(answer, "Contents"))


def sizes(snapshot: str) -> dict[str, int]:
    """Path -> bytes of the files of a snapshot."""
    found = {}
    for folder, _, names in os.walk(snapshot):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, snapshot).replace(os.sep, "/")] = os.lstat(path).st_size
    return found


def links(snapshot: str) -> list[str]:
    """The links of a snapshot; a bucket has none."""
    return sorted(
        os.path.relpath(os.path.join(folder, name), snapshot)
        for folder, folders, names in os.walk(snapshot)
        for name in (*folders, *names)
        if os.path.islink(os.path.join(folder, name))
    )
