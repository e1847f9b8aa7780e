"""Where a log is read, and whether it is the signed one: its files, the database. Way in: `port.LogPort`,
`read_ahead.parsed_entries`, `tree.require_tree`."""
