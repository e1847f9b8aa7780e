"""Mirrors the log and verifies it, through a port of three methods; imports no writer. Way in:
`mirror.write_mirror`, `tree.require_tree`, `database.compare_database`. Imports: `infra.log`.
"""
