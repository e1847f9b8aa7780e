"""Tables (CSV, XLSX) and their mappings: turns rows into documents, and reports faults by file, column and rule.
Way in: `rows`, `mapping`.
"""
