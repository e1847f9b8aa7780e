"""The console's pages: a folder for each journey, with its routes; their templates are in `templates/` by the same
name. A page takes a `Visit`, asks the read API, and renders. Way in: `signin.signin_router`, `approvals.routes`.
"""
