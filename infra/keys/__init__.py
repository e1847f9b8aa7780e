"""The platform's own keys: listing, rotating and carrying them; the keys of the tokens' hashes; the seals of tokens,
accounts and what teams manage, and what was taken from them; the rotation of passwords and of the key of seals; what
two people approve. Way in: `commands` (`yesser keys`), `seals.Seals`, `team_seals.TeamSeals`,
`access_changes.AccessChanges`, `second_person.ask`.
"""
