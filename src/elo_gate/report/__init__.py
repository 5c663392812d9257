"""Turns a finished run into bytes for people and programs: one module a format, each with `render(run, ...)`."""

FORMATS = ("text", "json", "sarif")
