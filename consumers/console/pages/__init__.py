"""The console's pages: a folder for each journey, with its routes; their templates are in `templates/` by the same
name. A page takes a `Visit`, asks the read API, and renders. Way in: `rooms.ROOMS`. Imports: `events`, `infra`,
`consumers.access_scope`, `consumers.as_of`, `consumers.audit`, `consumers.campaigns`, `consumers.console`,
`consumers.console.accounts`, `consumers.console.checks`, `consumers.console.data`, `consumers.console.sending`,
`consumers.console.web`, `consumers.delivery`, `consumers.event_index`, `consumers.explain`, `consumers.ledger`,
`consumers.plan`, `consumers.projections`, `consumers.read_api`, `consumers.revenue`.
"""
