"""The ledger's calculations over HTTP: a statement's working, a figure's derivation, a forecast, what-if. Way in:
`routes.router`.
"""
