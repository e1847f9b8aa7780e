"""The addresses of the read API, one module per resource. `consumers.read_api.routes` joins them. Way in:
`plan.routes`, and the same of each resource. Imports: `events`, `infra`, `consumers.access_scope`, `consumers.as_of`,
`consumers.campaigns`, `consumers.event_index`, `consumers.plan`, `consumers.projections`, `consumers.read_api`,
`consumers.revenue`.
"""
