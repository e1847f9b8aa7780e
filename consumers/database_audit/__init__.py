"""The log in the platform's database as an auditor's source, and the tables that follow from it. Way in:
`postgres_port.PostgresPort`, `database.compare_database`. Imports: `infra`, `consumers.audit`.
"""
