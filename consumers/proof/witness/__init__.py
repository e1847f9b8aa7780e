"""A witness of the log: one small process that another organisation runs, without Kafka and PostgreSQL. Way in:
`witness.Witness`, `server.until_stopped`.
"""
