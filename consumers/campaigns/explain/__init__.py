"""Explains why a campaign was triggered, or why none was. Way in: `read.explain`. Imports: `events`, `infra`,
`consumers.as_of`, `consumers.campaigns`, `consumers.campaigns.handlers`, `consumers.campaigns.rules`,
`consumers.event_index`, `consumers.projections`.
"""
