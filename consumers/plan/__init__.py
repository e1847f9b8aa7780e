"""The plan document of docs/events.md §5, joined from projections, campaigns and revenue. Way in: `document`,
`commands` (`yesser plan`). Imports: `events`, `infra`, `consumers.as_of`, `consumers.campaigns`, `consumers.fold`,
`consumers.projections`, `consumers.revenue`.
"""
