"""PostgreSQL: connections, named SQL, migrations, the unit of work of a fold, and the tables that every process shares.
Roles and their rights are in `roles` and `rights.toml`. Way in: `connection.connect`, `sql.queries`,
`unit_of_work.UnitOfWork`.
"""
