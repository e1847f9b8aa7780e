"""Decides who gets which entry about a campaign, and writes a message for each. Entry point: `router.route`. Imports:
`consumers.delivery.queue`.
"""
