"""The partnerships' pages: terms in words, statements with their working, forecast, what-if, ledger, reconciliation.
Way in: `routes.routes`.
"""
