"""The tables that the processes share, as SQL files that `infra.postgres.migrate` applies once each, in the order of
their numbers. Way in: `0001_log.sql`, the first of them.
"""
