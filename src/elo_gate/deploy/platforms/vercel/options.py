"""Turns a target's `vercel` table into checked values; of the account's three variables only the names stand there."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, model_validator

from ...fields import Address, Argv, Name, Table


class VercelOptions(Table):
    """`cli` starts the Vercel CLI; `target` is a custom environment, production where it is empty.

    `release_env` is the variable in which the functions of a deployment get its digest.
    `api` is another server than Vercel's, for tests only.
    """

    cli: Argv = Field(default=["vercel"])
    token_env: Name = "VERCEL_TOKEN"
    org_id_env: Name = "VERCEL_ORG_ID"
    project_id_env: Name = "VERCEL_PROJECT_ID"
    target: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,31})?$")
    release_env: Name | None = None
    api: Address | None = None

    @model_validator(mode="after")
    def _safe(self) -> VercelOptions:
        if self.target in ("production", "preview", "development"):
            raise ValueError("target: the name of a custom environment stands here; without it production is meant")
        parts = urlsplit(self.api or "https://api.vercel.com")
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("api: a token goes over https only")
        return self

    def stages(self) -> bool:
        """As Options.stages: only production has deployments without its domains, and a promotion."""
        return not self.target

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return not self.target

    def variables(self) -> list[str]:
        """As Options.variables."""
        return [self.token_env, self.org_id_env, self.project_id_env]

    def programs(self) -> list[list[str]]:
        """As Options.programs."""
        return [self.cli]
