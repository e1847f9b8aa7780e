"""The audit room and the pages that explain figures: `/audit…` and `/explain/…`. `entry` and `explanation` turn
documents into what a template shows, `names` has the words of figures. Entry points: `routes.routes`,
`explain_routes.routes`. Imports: `consumers.console.web`, `consumers.console.checks`, the names of `consumers.revenue`.
"""
