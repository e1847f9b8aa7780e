"""The agency's workspace (`/workspace`): what was sent and its verdicts, publishing by a form or a file, refusals,
types, tokens. Pure: `entered` (a type's form, from its schema; what was typed, as an event, and its faults), `shown` (a
form as the page shows it, and an event in words). Way in: `routes.routes`.
"""
