"""Builders and doubles that the tests of several folders share."""
