"""The addresses of the read API, one module per resource. `consumers.api.routes` joins them. Way in:
`plan.routes`, and the same of each resource.
"""
