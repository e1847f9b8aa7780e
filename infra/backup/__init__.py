"""Backups of the database and its WAL, their check, and a restore at a point in time. Way in: `create.create`,
`restore.restore`, `process.backup`.
"""
