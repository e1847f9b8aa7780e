"""Authentication and rate limits: tokens and JWT. Way in: `callers`. Imports: `producers.agencies.tokens`,
`producers.gateway.http`.
"""
