"""What was aired about each launched service, and what was not. Way in: `read.coverage`."""
