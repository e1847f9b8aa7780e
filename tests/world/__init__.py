"""What tests of several folders share: events, logs, stories, and what stands in for a process."""
