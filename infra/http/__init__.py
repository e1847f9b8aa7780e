"""What every HTTP route shares: callers, problem documents (RFC 9457), and the form of answers. Way in:
`routes.RouteParts`. Imports: `infra.postgres`.
"""
