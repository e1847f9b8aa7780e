"""The folds of the projections, one module per domain, each with its tables beside it. A module has `TABLES`,
`SQL_FILES`, `TYPES`, `required_keys(entry)`, `apply(ws, entry)` and, where keys depend on rows, `dependent_keys`. Way
in: `life_cycle`.
"""
