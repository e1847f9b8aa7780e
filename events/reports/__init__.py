"""Events from the catalogue's models, and a campaign team's reports as events: what the commands and the console send.
Validates nothing. Way in: `event_of.event_of`, `campaign_reports.Action`.
"""
