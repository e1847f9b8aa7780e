"""The addresses of the read API, one module per resource. Way in: `consumers.read_api.routes`. Imports: the other
modules of the room, and the consumers' read sides.
"""
