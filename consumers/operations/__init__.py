"""Commands of operators and auditors: wait, log, audit, migrate, recover, trail. Way in: `wait_command`,
`log_commands`, `audit_command`, `migrate_command`, `recovery`, `trail_command`. Imports: `events`, `infra`,
`consumers.as_of`, `consumers.audit`, `consumers.commitments`, `consumers.database_audit`, `consumers.event_index`,
`consumers.offline`, `consumers.registrar`, `consumers.registry`, `consumers.relay`.
"""
