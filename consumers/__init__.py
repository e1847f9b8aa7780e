"""What registers events and applies them, what auditors check, what people read, and what leaves the
platform. Way in: `models.registry.CONSUMERS`."""
