"""Revenue share, exact to the halala: contracts, receipts, closing, balances. Way in: `consumer.CONSUMER`. Imports:
`consumers.fold`, `consumers.as_of`.
"""
