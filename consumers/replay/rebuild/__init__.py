"""Rebuilds read models beside the live ones, compares row by row, and finds the first difference. Way in:
`rebuild.rebuild`, `comparison`.
"""
