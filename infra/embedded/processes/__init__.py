"""Child processes: started, watched, ended with their descendants, and identified again after a restart. Entry point:
`managed_process`. Imports: `infra.errors`.
"""
