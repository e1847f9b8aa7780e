"""Agencies and their access: registration, Kafka credentials, tokens, suspension, and the sandbox to try it all in.
Way in: `commands` (`yesser agencies`), `register.add_agencies`. Imports: `producers.publisher`.
"""
