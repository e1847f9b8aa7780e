"""Replays a proven log into SQLite files by the folds of the live consumers, without a database server. Way in:
`replay.replay_into`.
"""
