"""The partnerships' pages: terms in words, statements with their working, forecast, what-if, ledger, reconciliation.
Way in: `routes.routes`. Imports: `events`, `infra`, `consumers.access_scope`, `consumers.as_of`, `consumers.console`,
`consumers.console.data`, `consumers.console.web`, `consumers.event_index`, `consumers.ledger`, `consumers.read_api`,
`consumers.revenue`.
"""
