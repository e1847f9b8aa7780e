"""Shared by every HTTP route: callers, problem documents (RFC 9457), and the form of responses. Way in:
`routes.RouteParts`.
"""
