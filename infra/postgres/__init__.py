"""PostgreSQL: connections, named SQL, migrations, the unit of work that a fold changes rows through, and the tables
that every process shares. Way in: `connection.connect`, `sql.queries`, `unit_of_work.UnitOfWork`. Imports:
`infra.settings`.
"""
