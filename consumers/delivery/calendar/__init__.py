"""A team's due dates as an iCalendar feed: by command, by token, or under a secret address. Way in: `routes.router`,
`commands`. Imports: `events`, `infra`, `consumers.campaigns`, `consumers.delivery`, `consumers.read_api`.
"""
