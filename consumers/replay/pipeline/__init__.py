"""The one loop: entries of the log, applied exactly once and in order, with one position per consumer in PostgreSQL.
Way in: `pipeline.Pipeline`.
"""
