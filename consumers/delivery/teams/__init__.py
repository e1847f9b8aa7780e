"""The agencies' teams: desks, webhooks with their secrets, and subscriptions to campaigns, by command and over HTTP.
Way in: `routes.router`, `team_commands`. Imports: `events`, `infra`, `consumers.as_of`, `consumers.campaigns`,
`consumers.delivery`, `consumers.delivery.calendar`, `consumers.delivery.mail`, `consumers.delivery.webhooks`,
`consumers.read_api`.
"""
