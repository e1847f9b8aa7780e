"""Reading and proving the national log: entries, Merkle tree (RFC 6962), signed notes (C2SP), proofs, authority,
receipts of a gateway. Nothing here writes the log. Way in: `reader.read_checked`, `ports.read_ahead.parsed_entries`,
`ports.tree.require_tree`, `proofs`, `signed_note`.
"""
