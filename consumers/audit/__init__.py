"""Mirrors the log and computes it again, through a port of three methods; imports no writer. Way in:
`mirror.write_mirror`, `tree.require_tree`. Imports: `infra.log`.
"""
