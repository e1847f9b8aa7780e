"""What registers events and applies them: the registrar, the consumers and their read models, the deliveries, what
auditors do, the read API and the console. Way in: `registry.CONSUMERS`, `processes`.
"""
