"""The ledger's calculations over HTTP: a statement's working, a figure's derivation, a forecast, what-if. Way in:
`routes.router`. Imports: `infra`, `consumers.as_of`, `consumers.event_index`, `consumers.explain`, `consumers.ledger`,
`consumers.read_api`, `consumers.revenue`.
"""
