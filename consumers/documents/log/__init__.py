"""What is in the log, what contradicts it, and what proves it. Way in: `entries.Entry`, `explanations.Explanation`."""
