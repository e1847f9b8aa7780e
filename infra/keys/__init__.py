"""The platform's own keys: listing, rotating and carrying them; the keys of the tokens' hashes. Way in: `commands`
(`yesser keys`). Imports: `events`, `infra.command_line`, `infra.log`, `infra.postgres`, `infra.secret_files`,
`infra.settings`, `infra.witnesses`.
"""
