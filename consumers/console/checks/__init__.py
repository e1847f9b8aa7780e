"""Checks of the whole log that somebody starts from a page: a process beside does the work, and says how far it is.
Entry points: `jobs.Checks`, and `child`, the process. It reads as the reader and writes nothing that stays.
Imports: `consumers.rebuild`, `consumers.commitments`.
"""
