"""Serves the log over HTTP in the C2SP tlog-tiles layout, under `/log/0/`. Way in: `routes.router`, which the gateway
loads.
"""
