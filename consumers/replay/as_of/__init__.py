"""State as of an index or a recorded time, from what rows were and the fold of a block; as of an occurred date, from a
fold of the log. In a transaction that is rolled back. Way in: `query.run_query`.
"""
