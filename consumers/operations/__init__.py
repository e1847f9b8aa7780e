"""Commands of operators and auditors: wait, log, audit, migrate, recover, trail. Way in: `wait_command`,
`log_commands`, `audit_command`, `migrate_command`, `recovery`, `trail_command`.
"""
