"""A team's due dates as an iCalendar feed: by command, by token, or under a secret address. Ways in: `routes.router`,
`commands`. Imports: `consumers.delivery.due_campaigns`, the read API's access.
"""
