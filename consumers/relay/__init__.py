"""Publishes the platform's events to its own topic, and campaign triggers from the log to the teams. Way in:
`relay.Relay`, `decisions`.
"""
