"""The partnerships' pages: terms in words, statements with their working, forecast, what-if, ledger, reconciliation.
Entry point: `routes.routes`. Imports: `consumers.console.visit`, `consumers.ledger`, `consumers.revenue`.
"""
