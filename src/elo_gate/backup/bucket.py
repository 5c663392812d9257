"""Turns an S3 bucket into a source of backups, by the `aws` program and the credentials that it finds itself.

Facts: AWS CLI command reference, s3api list-objects-v2, s3api head-object, s3 cp; "Checking object integrity in Amazon
S3" (an ETag is the MD5 of the content only for one part without KMS), docs.aws.amazon.com, 2026-11-25.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import datetime

from ..deploy import child
from ..deploy.veil import Veil
from . import stamp
from .source import MOST, Copy, Unseen, matcher, ordered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# What the program reads its credentials and its server from; values pass on unseen.
VARIABLES = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS",
    "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED",
    "AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION",
)  # fmt: skip
_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
_PAGE = 500  # objects of one answer: well below what is kept of a program's output
_ASK = 60.0
_FETCH = 6 * 3600.0


class Bucket:
    """Backups as objects below a prefix."""

    __slots__ = ("words", "bucket", "prefix", "_wanted", "_zone", "_veil")

    def __init__(self, address: str, patterns: Sequence[str], zone: str) -> None:
        self.words = address
        self.bucket, _, prefix = address.removeprefix("s3://").partition("/")
        self.prefix = prefix if not prefix or prefix.endswith("/") else prefix + "/"
        self._wanted = matcher(patterns)
        self._zone = zone
        self._veil = Veil(_SECRET)

    def series(self) -> list[Copy]:
        """What lies below the prefix. Raises Unseen."""
        found: list[Copy] = []
        token = ""
        while True:
            argv = ["s3api", "list-objects-v2", f"--bucket={self.bucket}", f"--max-keys={_PAGE}", "--no-paginate"]
            argv += [f"--prefix={self.prefix}"] if self.prefix else []
            argv += [f"--continuation-token={token}"] if token else []
            answer = self._ask("list", argv)
            for each in answer.get("Contents") or ():
                copy = self._copy(each)
                if copy is not None:
                    found.append(copy)
            token = str(answer.get("NextContinuationToken") or "")
            if not token:
                return ordered(found)
            if len(found) > MOST or not re.fullmatch(r"[A-Za-z0-9+/=_.-]+", token):
                raise Unseen(f"{self.words}: more than {MOST} objects; a longer prefix says which count")

    def _copy(self, each: dict[str, Any]) -> Copy | None:
        try:
            name = str(each["Key"]).removeprefix(self.prefix)
            size = int(each["Size"])
            changed = datetime.fromisoformat(str(each["LastModified"]).replace("Z", "+00:00")).timestamp()
        except (KeyError, ValueError, TypeError):
            raise Unseen(f"{self.words}: an answer that is no list of objects") from None
        if name.endswith("/") or not self._wanted(name):
            return None
        return Copy(name, stamp.read(name, changed, self._zone), size, changed, str(each.get("ETag") or "").strip('"'))

    def open(self, copy: Copy, folder: str) -> str:
        """A copy's content, fetched to a file below a folder of this run. Raises Unseen."""
        if shutil.disk_usage(folder).free < copy.size + (64 << 20):
            raise Unseen(f"{copy.name}: {copy.size} bytes do not fit into {folder}; TMPDIR names another place")
        path = os.path.join(folder, "fetched")
        self._run(
            f"fetch {copy.name}",
            ["s3", "cp", "--only-show-errors", f"s3://{self.bucket}/{self.prefix}{copy.name}", path],
            _FETCH,
        )
        try:
            size = os.stat(path).st_size
        except OSError:
            size = -1
        if size != copy.size:
            raise Unseen(f"{copy.name}: {size} of {copy.size} bytes came; it changes, or the transfer broke off")
        return path

    def plain_etag(self, copy: Copy) -> bool:
        """Whether the ETag of a copy is the MD5 of its content, or of its parts: not with KMS. Raises Unseen."""
        key = self.prefix + copy.name
        if re.match(r"(file|fileb|https?)://", key):
            return False  # the program would read what such an option names
        answer = self._ask("head", ["s3api", "head-object", f"--bucket={self.bucket}", f"--key={key}"])
        return answer.get("ServerSideEncryption", "AES256") == "AES256" and "SSECustomerAlgorithm" not in answer

    def _ask(self, what: str, argv: list[str]) -> dict[str, Any]:
        done = self._run(what, [*argv, "--output=json"], _ASK)
        if not done.out.strip():
            return {}  # an empty listing
        try:
            answer = json.loads(done.out)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Unseen(f"{self.words}: {what}: the aws program's answer is not one JSON object")
        return answer

    def _run(self, what: str, argv: list[str], seconds: float) -> child.Done:
        # The real home: credentials, profiles and single sign-on lie there.
        variables = child.environment(os.path.expanduser("~"), VARIABLES)
        done = child.run(["aws", *argv], os.sep, {**variables, "AWS_PAGER": ""}, seconds)
        if done.code is None:
            raise Unseen(f"{self.words}: the aws program cannot be started ({done.why}); it reads buckets here")
        if done.late or done.code:
            said = self._veil.hide(done.err.decode("utf-8", "replace").strip()[-500:])
            how = "did not end in time" if done.late else f"ended with {done.code}"
            raise Unseen(f"{self.words}: {what}: aws {how}" + (f": {said}" if said else ""))
        return done
