"""Awareness campaigns: which event calls for one, whose it is, and what came of it. Way in: `consumer.CONSUMER`.
Imports: `consumers.fold`, `consumers.projections.handlers`, `consumers.as_of`.
"""
