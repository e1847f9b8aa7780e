"""Hashes of the read models, published in the log and verified against it. Way in: `commitment`, `commands` (`yesser
commit`). Imports: `events`, `infra`, `consumers.as_of`, `consumers.campaigns`, `consumers.database_audit`,
`consumers.event_index`, `consumers.fold`, `consumers.read_api`, `consumers.rebuild`, `consumers.registry`.
"""
