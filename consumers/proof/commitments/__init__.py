"""Hashes of the read models, published in the log and verified against it. Way in: `commitment`, `commands` (`yesser
commit`).
"""
