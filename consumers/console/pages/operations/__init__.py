"""What runs, how far it is, what has stopped and what to do about it, and who did what.
Entry point: `routes.routes`. Imports: `consumers.console.visit`, `infra.embedded`.
"""
