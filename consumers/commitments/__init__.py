"""Hashes of the read models, published in the log and verified against it. Way in: `commitment`,
`commands` (`yesser commit`). Imports: `consumers.rebuild`, `consumers.as_of`.
"""
