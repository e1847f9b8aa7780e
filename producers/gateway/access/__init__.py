"""Authentication and rate limits: tokens and JWT. Way in: `callers`."""
