"""Hashes of the read models, published in the log, and the check that the log gives them. Way in: `commitment`,
`commands` (`yesser commit`). Imports: `consumers.rebuild`.
"""
