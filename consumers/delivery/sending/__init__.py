"""What leaves us: one table of messages, one loop that sends them, and a route for each way out."""
