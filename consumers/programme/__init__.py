"""The five-year plan: its projections, campaigns, and the plan at a glance. Way in: `plan.document`,
`projections.consumer.CONSUMER`, `campaigns.consumer.CONSUMER`."""
