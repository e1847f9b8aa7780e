"""Events from the catalogue's models, and a campaign team's reports as events: what the commands and the console send.
Validates nothing. Way in: `campaign_reports.event_of`, `campaign_reports.Action`.
"""
