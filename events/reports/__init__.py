"""Events from the catalogue's models, and a campaign team's reports as events: what the commands and the console send.
Entry points: `event_of`, `Action`. Imports: `events.types`, `events.wire`, `events.values`. Validates nothing.
"""
