"""CSV tables and their mappings: rows become events, and what does not fit is named by file, column and rule. Way in:
`rows`, `mapping`. Imports: `events`.
"""
