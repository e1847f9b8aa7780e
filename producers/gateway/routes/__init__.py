"""The routes, one module per resource. `producers.gateway.app` joins them. Way in: `publish.routes`, `lookups.routes`,
`pages.routes`.
"""
