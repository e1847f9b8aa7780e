"""What a person checks about a partnership's money: a statement that proves itself, and the same history under other
terms. Way in: `commands.ledger`. Imports: `events`, `infra`, `consumers.as_of`, `consumers.audit`,
`consumers.event_index`, `consumers.explain`, `consumers.fold`, `consumers.offline`, `consumers.operations`,
`consumers.read_api`, `consumers.revenue`.
"""
