"""Revenue share, exact to the halala: contracts, receipts, closing, balances. Way in: `consumer.CONSUMER`."""
