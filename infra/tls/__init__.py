"""Encrypted connections: which may be plain, whom clients trust, what a server shows, a private authority to try it.
Entry points: `plaintext`, `client`, `server`, `authority`. Imports: settings and the files of secrets.
"""
