"""Shared by every HTTP route: callers, problem documents (RFC 9457), and the form of responses. Entry point:
`routes.RouteParts`. Imports: `infra.postgres`.
"""
