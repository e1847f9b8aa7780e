"""Routes about the log itself: its checkpoint, its entries, their proofs, its refusals. Way in: `checkpoints.routes`,
`entries.routes`, `proofs.routes`, `refusals.routes`.
"""
