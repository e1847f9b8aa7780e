"""Awareness campaigns: which events trigger one, who owns it, and its state. Way in: `consumer.CONSUMER`. Imports:
`events`, `infra`, `consumers.as_of`, `consumers.event_index`, `consumers.fold`, `consumers.projections`.
"""
