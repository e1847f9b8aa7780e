"""Generated from the catalogue: JSON Schemas, the AsyncAPI document, examples of refusals; and the compatibility gate.
Entry point: `python -m events.generate`. Imports: everything else in `events`.
"""
