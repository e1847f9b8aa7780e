"""E-mails to the desks of campaign teams: what happened to a campaign, reminders, weekly digests. Way in:
`route.send`, `timed.make_letters`.
"""
