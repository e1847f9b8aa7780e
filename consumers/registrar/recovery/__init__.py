"""Recovers entries that the database lost, from the log's topic or a mirror, verified by the signed root. Way in:
`recover.recover`.
"""
