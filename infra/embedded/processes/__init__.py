"""Child processes: started, watched, ended with their descendants, and identified again after a restart. Way in:
`managed_process`.
"""
