"""Folds the log beside the live tables, compares row by row, and names the first difference. Way in: `commands`
(`yesser rebuild`). Imports: `consumers.fold`, `consumers.as_of`.
"""
