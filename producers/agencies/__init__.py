"""Agencies and their access: registration, Kafka credentials, tokens, suspension, and the sandbox. Way in: `commands`
(`yesser agencies`), `register.add_agencies`.
"""
