"""A team's due dates as an iCalendar feed: by command, by token, or under a secret address. Way in: `routes.router`,
`commands`.
"""
