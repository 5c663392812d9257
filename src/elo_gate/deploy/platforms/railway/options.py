"""Turns a target's `[railway]` table into checked values."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, model_validator

from ...fields import Address, Name, Table


class RailwayOptions(Table):
    """Which service of which environment; ids, as Railway's addresses show them.

    `token_env` names the variable of a project token, `api_token_env` that of an account's or a workspace's.
    """

    project: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    environment: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    service: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    token_env: Name = "RAILWAY_TOKEN"
    api_token_env: Name | None = None
    api: Address = "https://backboard.railway.com"

    @model_validator(mode="after")
    def _safe(self) -> RailwayOptions:
        parts = urlsplit(self.api)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("api: a token goes over https only")
        return self

    def stages(self) -> bool:
        """As Options.stages: a deployment is live when it has started."""
        return False

    def goes_back(self) -> bool:
        """As Options.goes_back."""
        return True

    def variables(self) -> list[str]:
        """As Options.variables."""
        return [self.api_token_env or self.token_env]

    def programs(self) -> list[list[str]]:
        """As Options.programs: it runs none."""
        return []
