"""Finds events by id, type, subject, agency and time. Way in: `consumer.CONSUMER`, `read`."""
