"""Explains why a campaign was triggered, or why none was. Way in: `read.explain`. Imports: `consumers.campaigns`,
`consumers.event_index`, `consumers.as_of`.
"""
