"""The read API: plan, ledger, entries and proofs over HTTP, each to whom it belongs. Way in: `routes.router`. Imports:
`events`, `infra`, `consumers.access_scope`, `consumers.as_of`, `consumers.campaigns`, `consumers.event_index`,
`consumers.fold`, `consumers.plan`, `consumers.projections`, `consumers.revenue`.
"""
