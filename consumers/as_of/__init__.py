"""State as of an index, a recorded time or an occurred date: folds the log again in a transaction that is rolled back.
Way in: `query.run_query`. Imports: `consumers.fold`.
"""
