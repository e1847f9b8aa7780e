"""The agencies' teams: desks, webhooks with their secrets, and subscriptions to campaigns, by command and over HTTP.
Way in: `routes.router`, `commands`.
"""
