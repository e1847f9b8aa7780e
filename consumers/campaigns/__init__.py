"""Awareness campaigns: which events trigger one, who owns it, and its state. Way in: `consumer.CONSUMER`.
Imports: `consumers.fold`, `consumers.projections.handlers`, `consumers.as_of`.
"""
