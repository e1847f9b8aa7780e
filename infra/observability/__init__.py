"""Logs, metrics and traces. None of them carries a key, a subject or a payload. Way in: `logs.configure_logs`,
`telemetry.count`.
"""
