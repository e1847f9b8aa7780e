"""The campaigns: what a team must do, one campaign with its brief, its reports, teams and their webhooks, coverage.
`inbox`, `campaign` and `reporting` turn documents into what a page shows, `report_pages`, `teams` and `webhooks` send,
the last two by `team_requests`. Way in: `routes.routes`.
"""
