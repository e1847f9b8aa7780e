"""Revenue share, exact to the halala: contracts, receipts, closing, balances. Way in: `consumer.CONSUMER`. Imports:
`events`, `infra`, `consumers.access_scope`, `consumers.as_of`, `consumers.fold`.
"""
