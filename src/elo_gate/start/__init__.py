"""What helps a person to begin and to go on: `init`, `doctor`, `--watch`, text from stdin, progress, the editor."""
