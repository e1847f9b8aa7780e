"""What every command shares: exit codes by error class, language, tables that fit the terminal, checked arguments,
completion. Entry point: `infra.cli.main`. Imports: `events`.
"""
