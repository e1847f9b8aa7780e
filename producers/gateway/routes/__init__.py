"""The routes, one module per resource. Way in: `producers.gateway.app`. Imports: the other modules of the gateway."""
