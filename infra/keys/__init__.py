"""The platform's own keys: listing, rotating and carrying them; the keys of the tokens' hashes; the seals of tokens and
accounts, and what was taken from them; the rotation of passwords; what two people approve. Way in: `commands` (`yesser
keys`), `seals.Seals`, `access_changes.AccessChanges`, `second_person.ask`. Imports: `events`, `infra.command_line`,
`infra.kafka`, `infra.log`, `infra.observability`, `infra.postgres`, `infra.principals`, `infra.secret_files`,
`infra.settings`, `infra.witnesses`.
"""
