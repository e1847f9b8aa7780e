"""Encrypted connections: which may be plain, whom clients trust, what a server shows, a private authority to try it.
Way in: `plaintext`, `client`, `server`, `authority`.
"""
