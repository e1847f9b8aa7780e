"""The platform's own keys: listing, rotating and carrying them; the keys of the tokens' hashes. Way in: `commands`
(`yesser keys`). Imports: `infra.log`, `infra.postgres`, `infra.command_line`.
"""
