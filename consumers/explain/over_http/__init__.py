"""Explains figures over HTTP, to each caller those that it may read. Way in: `routes.router`, which the gateway and the
console load. Imports: `events`, `infra`, `consumers.access_scope`, `consumers.as_of`, `consumers.campaigns`,
`consumers.explain`, `consumers.read_api`, `consumers.registry`, `consumers.revenue`.
"""
