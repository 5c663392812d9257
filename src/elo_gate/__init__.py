"""elo-gate: the gate between a repository and its production."""

__version__ = "0.1.0"
