"""Turns a release into a deployment of a Railway service: Railway's own HTTP API, no command line tool.

Railway's tool has no rollback, and ends with 0 where nothing was deployed; the API has one, and says so.
"""
