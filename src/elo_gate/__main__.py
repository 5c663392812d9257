"""`python -m elo_gate` is `elo-gate`."""

from .cli import main

main()
