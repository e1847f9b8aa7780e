"""Tells an agency's engineers what goes wrong: refusals, anomalies, pauses, halts, expiries, silence. Way in:
`notifier.notify`.
"""
