"""The log in the platform's database as an auditor's source, and what follows from it, from seals and from migrations.
Way in: `postgres_port.PostgresPort`, `database.compare_database`, `catalog.compare_catalog`.
"""
