"""Refused records as the log has them, and the entries that corrected them. Way in: `documents.Refusal`,
`read.refusals`.
"""
