"""Who may enter the console: accounts, passwords, sessions.
Entry points: `sessions.Sessions`, `commands.accounts`. Imports: `infra`.
"""
