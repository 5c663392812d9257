"""Rules: from one YAML file each to compiled functions, and from there to the engine."""
