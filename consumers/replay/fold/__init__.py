"""Defines a consumer: its tables, the keys that a batch needs, its pure fold; applies batches to a store (PostgreSQL,
SQLite, memory); replays the log. Way in: `consumer.Consumer`, `apply.apply`, `replay.replay`.
"""
