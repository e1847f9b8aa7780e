"""Routes about the log itself: its checkpoint, its entries, their proofs, its refusals.
Each module has `routes`. Imports: `consumers.read_api`.
"""
