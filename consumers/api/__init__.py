"""The read API: plan, ledger, entries and proofs over HTTP, each to whom it belongs. Way in: `routes.router`."""
