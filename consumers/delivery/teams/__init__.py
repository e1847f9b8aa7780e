"""The agencies' teams: desks, webhooks with their secrets, and subscriptions to campaigns, by command and over HTTP.
Entry points: `routes.router`, `team_commands`. Imports: `consumers.read_api`, `consumers.as_of`, `consumers.campaigns`.
"""
