"""Commands of operators and auditors: wait, log, audit, migrate, recover. Way in: `wait_command`, `log_commands`,
`audit_command`, `migrate_command`, `recovery`. Imports: every other room.
"""
