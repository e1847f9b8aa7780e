"""The routes, one module per resource. `producers.gateway.app` joins them. Way in: `publish.routes`, `lookups.routes`,
`pages.routes`. Imports: `events`, `infra`, `producers.docs_pages`, `producers.gateway`, `producers.gateway.access`,
`producers.gateway.http`.
"""
