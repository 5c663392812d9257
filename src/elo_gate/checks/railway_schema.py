"""The keys of railway.toml and railway.json as a JSON Schema: written by us from Railway's documented facts.

`schemas/railway.schema.json` is this table as a file (tests/test_schemas.py keeps the two equal). Facts, looked up
on 2026-11-25: docs.railway.com/config-as-code/reference, /deployments/deployment-teardown, and the build and deploy
types of github.com/railwayapp/railway-ts-sdk (src/iac/schema.ts), which Railway reads for both of its file forms.

Numbers are numbers: `"10"` for drainingSeconds is refused ("Expected number, received string", railwayapp/docs
issue 1243). Names of builders and policies are compared without regard to case: older documentation wrote lower
case. Environments repeat `build` and `deploy`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AS_OF = "2026-11-25"

_TEXT = {"type": ["string", "null"]}
_FLAG = {"type": ["boolean", "null"]}
_COUNT = {"type": ["integer", "null"], "minimum": 0}
_SECONDS = {"type": ["number", "null"], "minimum": 0, "title": "seconds as a number without quotes"}

BUILDERS = ("RAILPACK", "DOCKERFILE", "NIXPACKS", "HEROKU", "PAKETO")

BUILD: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "builder": _TEXT,
        "buildCommand": _TEXT,
        "buildEnvironment": _TEXT,
        "dockerfilePath": _TEXT,
        "nixpacksConfigPath": _TEXT,
        "nixpacksPlan": {"type": ["object", "null"]},
        "nixpacksVersion": _TEXT,
        "railpackVersion": _TEXT,
        "watchPatterns": {"type": ["array", "null"], "items": {"type": "string"}},
    },
}

DEPLOY: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "cronSchedule": _TEXT,
        "drainingSeconds": _SECONDS,
        "healthcheckPath": _TEXT,
        "healthcheckTimeout": _SECONDS,
        "ipv6EgressEnabled": _FLAG,
        "limitOverride": {"type": ["object", "null"]},
        "multiRegionConfig": {
            "type": ["object", "null"],
            "additionalProperties": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": {"numReplicas": _COUNT, "stackerAssignment": _TEXT},
            },
        },
        "numReplicas": _COUNT,
        "overlapSeconds": _SECONDS,
        "preDeployCommand": {
            "title": "a command, or a list of one command",
            "anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}}],
        },
        "region": _TEXT,
        "registryCredentials": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {"username": _TEXT, "password": _TEXT},
        },
        "requiredMountPath": _TEXT,
        "restartPolicyMaxRetries": _COUNT,
        "restartPolicyType": _TEXT,
        "runtime": _TEXT,
        "sleepApplication": _FLAG,
        "startCommand": _TEXT,
        "useLegacyStacker": _FLAG,
    },
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "build": BUILD,
        "deploy": DEPLOY,
        "environments": {
            "type": "object",
            "additionalProperties": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": {"build": BUILD, "deploy": DEPLOY},
            },
        },
    },
}
