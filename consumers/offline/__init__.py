"""Replays a proven log into SQLite files by the folds of the live consumers, without a database server. Way in:
`replay.replay_into`. Imports: `events`, `infra`, `consumers.audit`, `consumers.commitments`, `consumers.event_index`,
`consumers.fold`, `consumers.registry`, `consumers.revenue`.
"""
