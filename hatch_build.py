"""The build's hook: compiles rules/ into src/elo_gate/_compiled/, for wheels and for editable installs alike."""

from __future__ import annotations

import os
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileRules(BuildHookInterface):
    """Runs `ruleset.load.write_compiled` before a wheel is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is "standard" or "editable"; both need the compiled rules."""
        if self.target_name != "wheel":
            return
        sys.path.insert(0, os.path.join(self.root, "src"))
        try:
            from elo_gate.ruleset.load import write_compiled

            write_compiled(self.root)
        finally:
            sys.path.pop(0)
