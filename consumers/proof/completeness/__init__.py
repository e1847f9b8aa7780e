"""Which sequence numbers of each agency and month are in the log and which are missing, as a document that follows from
the entries alone. Way in: `derive.Completeness`.
"""
