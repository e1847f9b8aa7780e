"""The agency's workspace (`/workspace`): what was sent and its verdicts, publishing by a form or a file, refusals,
types, tokens. Pure: `form` (a type's form, from its schema), `entered` (what was typed, as an event), `shown` (a form
as the page shows it, and an event in words), `faults`. Way in: `routes`.
"""
