"""A team's due dates as an iCalendar feed: by token, or under a secret address. Way in: `routes.router`,
`routes.calendar_now`.
"""
