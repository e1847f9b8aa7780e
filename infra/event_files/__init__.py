"""Files of events: their lines (NDJSON, or a table with its mapping), and what is wrong with them before anything is
sent. Way in: `ndjson.read_lines`, `table_lines.mapped_lines`, `lint.lint`.
"""
