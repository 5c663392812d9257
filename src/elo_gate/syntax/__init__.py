"""Turns text into nodes with spans: grammars only, nothing of what a value means."""
