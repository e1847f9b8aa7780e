"""Notices to an agency's engineers: refusals, anomalies, pauses, halts, expiries, silence. Way in:
`notifier.notify`.
"""
