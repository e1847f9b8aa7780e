"""A child process: started, watched, ended with its descendants, found again by its identity after a restart. Way in:
`managed_process`. Imports: `infra.errors`.
"""
