"""Decides who gets which entry about a campaign, and writes a message for each. Way in: `router.route`."""
