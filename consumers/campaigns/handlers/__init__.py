"""The rules of campaigns and their life cycle. Way in: `rules`, `lifecycle`. Imports: `events`, `infra`,
`consumers.campaigns`, `consumers.campaigns.rules`, `consumers.fold`, `consumers.projections`.
"""
