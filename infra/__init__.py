"""How events are moved and stored: Kafka, PostgreSQL, TLS, the log's proofs, HTTP, processes, and the `yesser` command.
Way in: `settings.Settings`, `cli.main`.
"""
