"""All read models together: which there are, and their versions. Way in: `registry.CONSUMERS`."""
