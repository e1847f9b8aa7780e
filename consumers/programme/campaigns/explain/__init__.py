"""Explains why a campaign was triggered, or why none was. Way in: `read.explain`."""
