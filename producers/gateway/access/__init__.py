"""Who calls: tokens, JWT, and how much each may send. Way in: `callers`. Imports: `producers.agencies.tokens`,
`producers.gateway.http`.
"""
