"""`yesser audit`, and what operators do after a restore. Way in: `audit_command`, `recovery`."""
