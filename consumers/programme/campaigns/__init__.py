"""Awareness campaigns: which events trigger one, who owns it, and its state. Way in: `consumer.CONSUMER`."""
