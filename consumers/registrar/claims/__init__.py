"""Claims: which events are new, mostly without asking PostgreSQL. Claims of full ranges of indexes are sealed: their
fingerprints are stored, and read by the next owner. Way in: `lookup.ClaimLookup`, `sealing.keep_claims`.
"""
