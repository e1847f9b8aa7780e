"""Explains figures over HTTP, to each caller those that it may read. Way in: `routes.router`, which the gateway and the
console load.
"""
