"""The transactional outbox in an agency's database, and the relay that sends its rows. Way in: `outbox.add`, `commands`
(`yesser outbox`).
"""
