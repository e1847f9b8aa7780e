"""Explains figures over HTTP, to each caller those that it may read. Entry point: `routes.router`, which the gateway
and the console load. Imports: `consumers.explain`, `consumers.read_api`.
"""
