"""What others check: the log as files, checkpoints and witnesses, commitments, completeness, the database.
Way in: `audit.authenticated.AuthenticatedLog`, `commands.audit_command`."""
