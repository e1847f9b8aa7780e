"""Brings back entries that the database lost, from the log's topic or a mirror, and believes them because they give
the signed root. Way in: `recover.recover`. Imports: the other modules of the registrar.
"""
