"""Who may enter the console: accounts, passwords, sessions. Way in: `sessions.Sessions`, `commands.accounts`."""
