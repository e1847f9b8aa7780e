"""Routes about the log itself: its checkpoint, its entries, their proofs, its refusals. Way in: `checkpoints.routes`,
`entries.routes`, `proofs.routes`, `refusals.routes`. Imports: `events`, `infra`, `consumers.access_scope`,
`consumers.as_of`, `consumers.event_index`, `consumers.read_api`, `consumers.revenue`.
"""
