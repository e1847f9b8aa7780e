"""Defines a consumer: its tables, the keys that a batch needs, its pure fold; and the replay of the log through it.
Way in: `consumer.Consumer`, `replay.replay`. Imports: `infra`, `events`, `consumers.audit`.
"""
