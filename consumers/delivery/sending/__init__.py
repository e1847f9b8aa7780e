"""Sends what leaves us: one table of messages, one loop, and a route for each way out. Way in: `sender.Sender`,
`route.Route`.
"""
