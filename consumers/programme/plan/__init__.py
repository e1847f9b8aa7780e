"""The plan document of docs/events.md §5, joined from projections, campaigns and revenue. Way in: `document`,
`commands` (`yesser plan`).
"""
