"""The addresses of the read API, one module per resource. `consumers.api.routes` joins them. Way in:
`programme.routes`, and the same of each resource.
"""
