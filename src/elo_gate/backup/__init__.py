"""Backups that are there, proven: the newest is young, whole and elsewhere too, and a restore of it works."""
