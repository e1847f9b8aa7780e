"""The commands of an operator for teams, webhooks, subscriptions and expectations. Way in: `teams.teams`,
`webhooks.webhooks`, `subscriptions.subscriptions`, `expectations.expectations`.
"""
