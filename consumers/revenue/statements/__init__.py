"""A closed period's statement with its working: per band amount × rate = share, the rounding, the guarantee. Way in:
`working.working_of`.
"""
