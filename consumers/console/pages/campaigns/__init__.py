"""The campaigns: what a team must do, one campaign with its brief, its reports, teams and their webhooks, coverage.
`inbox` and `campaign` turn documents into what a page shows; `report_pages`, `teams` and `webhooks` send. Way in:
`routes.routes`.
"""
