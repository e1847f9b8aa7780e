"""The ledger's transfers as books that others open: beancount, CSV, XLSX, Parquet. Way in:
`commands.export_command`.
"""
