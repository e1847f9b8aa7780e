"""E-mails to the desks of campaign teams: what happened to a campaign, reminders, weekly digests. Way in:
`part.work`.
"""
