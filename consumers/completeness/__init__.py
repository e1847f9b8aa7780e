"""Which sequence numbers of each agency and month are in the log and which are missing, as a document that follows from
the entries alone. Way in: `derive.Completeness`. Imports: `events`, `infra`, `consumers.audit`, `consumers.operations`,
`consumers.read_api`, `consumers.revenue`.
"""
