"""The properties of vercel.json as a JSON Schema: written by us from Vercel's documented facts.

`schemas/vercel.schema.json` is this table as a file (tests/test_schemas.py keeps the two equal). Facts, looked up
on 2026-11-25: vercel.com/docs/project-configuration/vercel-json, /docs/services/config-reference,
/docs/schedules/configuration, and the types and validators in github.com/vercel/vercel (packages/config,
packages/cli validate-config, packages/build-utils schemas, packages/fs-detectors detect-builders).

Where Vercel's own validators are strict (functions, builds, routes, crons, images, headers, redirects, rewrites)
the table is closed; where a property grows from month to month (services, schedules, experimental ones) it is open.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AS_OF = "2026-11-25"

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_OPEN = {"type": "object"}
_TEXTS = {"type": "array", "items": _TEXT}
_COMMAND = {"type": ["string", "null"], "maxLength": 256}
_ENV = {"type": "object", "additionalProperties": {"type": "string"}}
_SOURCE = {"type": "string", "maxLength": 4096}

_OPERATORS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "eq": {"type": ["string", "number"]},
        "neq": {"type": ["string", "number"]},
        "inc": _TEXTS,
        "ninc": _TEXTS,
        "pre": _TEXT,
        "suf": _TEXT,
        "re": _TEXT,
        "gt": {"type": "number"},
        "gte": {"type": "number"},
        "lt": {"type": "number"},
        "lte": {"type": "number"},
    },
}
_CONDITIONS = {
    "type": "array",
    "maxItems": 16,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["type"],
        "properties": {
            "type": {"enum": ["host", "header", "cookie", "query", "path"]},
            "key": _TEXT,
            "value": {"anyOf": [_TEXT, {"type": "number"}, _OPERATORS]},
        },
    },
}
_DESTINATION = {
    "title": "a path, a URL, or a map that names a service",
    "anyOf": [_SOURCE, {"type": "object"}],
}

_FUNCTION = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "architecture": {"enum": ["x86_64", "arm64"]},
        "runtime": {
            "type": "string",
            "maxLength": 256,
            "pattern": r"@[0-9]+\.[0-9]+\.[0-9]+",
            "title": "the npm package of a community runtime with its exact version, as in `vercel-php@0.7.4`",
        },
        "memory": {"type": "integer", "minimum": 128, "maximum": 10240},
        "maxDuration": {
            "title": "whole seconds from 1, or `max`",
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 1800}, {"type": "string", "pattern": "^max$"}],
        },
        "maxConcurrency": {"type": "integer", "minimum": 1},
        "regions": _TEXTS,
        "functionFailoverRegions": _TEXTS,
        "includeFiles": {"type": "string", "maxLength": 256},
        "excludeFiles": {"type": "string", "maxLength": 256},
        "experimentalTriggers": {"type": "array", "items": _OPEN},
        "supportsCancellation": _FLAG,
    },
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "$schema": _TEXT,
        "alias": {"anyOf": [_TEXT, _TEXTS]},
        "build": {"type": "object", "properties": {"env": _ENV}},
        "buildCommand": _COMMAND,
        "builds": {
            "type": "array",
            "maxItems": 128,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["use"],
                "properties": {
                    "src": {"type": "string", "minLength": 1, "maxLength": 4096},
                    "use": {"type": "string", "minLength": 3, "maxLength": 256},
                    "config": _OPEN,
                },
            },
        },
        "bulkRedirectsPath": {"type": ["string", "null"]},
        "bunVersion": _TEXT,
        "cleanUrls": _FLAG,
        "crons": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "schedule"],
                "properties": {
                    "path": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 512,
                        "pattern": "^/",
                        "title": "a path that starts with a slash",
                    },
                    "schedule": {
                        "type": "string",
                        "minLength": 9,
                        "maxLength": 256,
                        "title": "five cron fields, as in `0 5 * * *`",
                    },
                },
            },
        },
        "devCommand": _COMMAND,
        "env": _ENV,
        "fluid": _FLAG,
        "framework": {"type": ["string", "null"]},
        "functionFailoverRegions": _TEXTS,
        "functions": {"type": "object", "maxProperties": 50, "additionalProperties": _FUNCTION},
        "git": {
            "type": "object",
            "properties": {
                "deploymentEnabled": {
                    "anyOf": [_FLAG, {"type": "object", "additionalProperties": _FLAG}],
                    "title": "true, false, or a map of branch to true or false",
                },
            },
        },
        "github": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"autoAlias": _FLAG, "autoJobCancelation": _FLAG, "enabled": _FLAG, "silent": _FLAG},
        },
        "headers": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["source", "headers"],
                "properties": {
                    "source": _SOURCE,
                    "headers": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["key", "value"],
                            "properties": {"key": _SOURCE, "value": _TEXT},
                        },
                    },
                    "has": _CONDITIONS,
                    "missing": _CONDITIONS,
                },
            },
        },
        "ignoreCommand": _COMMAND,
        "images": {
            "type": "object",
            "additionalProperties": False,
            "required": ["sizes"],
            "properties": {
                "contentDispositionType": {"enum": ["inline", "attachment"]},
                "contentSecurityPolicy": {"type": "string", "minLength": 1, "maxLength": 256},
                "dangerouslyAllowSVG": _FLAG,
                "domains": {"type": "array", "maxItems": 50, "items": _TEXT},
                "formats": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 4,
                    "items": {"enum": ["image/avif", "image/webp", "image/jpeg", "image/png"]},
                },
                "localPatterns": {
                    "type": "array",
                    "maxItems": 25,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"pathname": _TEXT, "search": _TEXT},
                    },
                },
                "minimumCacheTTL": {"type": "integer", "minimum": 1, "maximum": 315360000},
                "qualities": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 20,
                    "items": {"type": "integer", "minimum": 1, "maximum": 100},
                },
                "remotePatterns": {
                    "type": "array",
                    "maxItems": 50,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["hostname"],
                        "properties": {
                            "protocol": {"enum": ["http", "https"]},
                            "hostname": {"type": "string", "minLength": 1, "maxLength": 256},
                            "port": {"type": "string", "maxLength": 5},
                            "pathname": _TEXT,
                            "search": _TEXT,
                        },
                    },
                },
                "sizes": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "number"}},
            },
        },
        "installCommand": _COMMAND,
        "name": _TEXT,
        "outputDirectory": _COMMAND,
        "passiveRegions": _TEXTS,
        "public": _FLAG,
        "redirects": {
            "type": "array",
            "maxItems": 2048,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["source", "destination"],
                "properties": {
                    "source": _SOURCE,
                    "destination": _DESTINATION,
                    "permanent": _FLAG,
                    "statusCode": {"type": "integer", "minimum": 100, "maximum": 999},
                    "has": _CONDITIONS,
                    "missing": _CONDITIONS,
                    "env": _TEXTS,
                },
            },
        },
        "regions": {"type": "array", "items": _TEXT},
        "relatedProjects": _TEXTS,
        "rewrites": {
            "type": "array",
            "maxItems": 2048,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["source", "destination"],
                "properties": {
                    "source": _SOURCE,
                    "destination": _DESTINATION,
                    "statusCode": {"type": "integer", "minimum": 100, "maximum": 999},
                    "has": _CONDITIONS,
                    "missing": _CONDITIONS,
                    "env": _TEXTS,
                    "respectOriginCacheControl": _FLAG,
                },
            },
        },
        "routes": {"type": "array", "maxItems": 2048, "items": _OPEN},
        "schedules": _OPEN,
        "scope": _TEXT,
        "services": {"anyOf": [_OPEN, {"type": "array", "items": _OPEN}]},
        "trailingSlash": _FLAG,
        "version": {"enum": [1, 2, 3]},
        "wildcard": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["domain", "value"],
                "properties": {"domain": _TEXT, "value": _TEXT},
            },
        },
    },
}

# Properties of this prefix come and go; Vercel tells their users, we do not.
EXPERIMENTAL = "experimental"

# Keys that people write into JSON for want of comments. Vercel refuses the file for them (issue 279 of
# open-agreements/open-agreements, 2026-05-08: "should NOT have additional property `$comment`").
COMMENT_KEYS = ("$comment", "//", "_comment", "comment", "_comments", "#")
