"""Checks of the whole log that somebody starts from a page: a process beside does the work, and says how far it is. It
reads as the reader and writes nothing that stays. Way in: `jobs.Checks`, and `child`, the process.
"""
