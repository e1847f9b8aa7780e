"""Explains a figure of a read model: the entries that made it, each with the value before and after it, and their
proofs. Way in: `explain.explain`; the figures: `shown_models.models`. Imports: `events`, `infra`,
`consumers.access_scope`, `consumers.as_of`, `consumers.audit`, `consumers.campaigns`, `consumers.commitments`,
`consumers.completeness`, `consumers.event_index`, `consumers.fold`, `consumers.offline`, `consumers.operations`,
`consumers.projections`, `consumers.read_api`, `consumers.registry`, `consumers.revenue`.
"""
