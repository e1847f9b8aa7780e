"""Notices to an agency's engineers: refusals, anomalies, pauses, halts and their end, expiries, silence. Way in:
`notifier.notify`.
"""
