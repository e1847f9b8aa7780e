"""The client library for agencies: send events over HTTP, check receipts and proofs. Way in: `client.AgencyClient`."""
