"""Shows and checks the campaign rules, and tries a changed one on the real history. Way in: `trial.try_rules`. Imports:
`events`, `infra`, `consumers.as_of`, `consumers.campaigns`, `consumers.campaigns.rules`, `consumers.fold`.
"""
