"""The money of partnerships: terms, periods, statements and how their figures follow, transfers, forecasts. Way in:
`partnerships.Partnership`, `statements.Statement`, `ledger.Balance`.
"""
