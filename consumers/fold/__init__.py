"""Defines a consumer: its tables, the keys that a batch needs, its pure fold; applies batches in PostgreSQL; replays
the log. Way in: `consumer.Consumer`, `apply.apply`, `replay.replay`.
"""
