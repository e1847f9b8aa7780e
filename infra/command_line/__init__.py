"""What every command shares: exit codes by error class, language, tables that fit the terminal, checked arguments,
completion. `infra.cli` is the command itself. Way in: `output`, `language`, `display`, `exit_codes.exit_code`.
"""
