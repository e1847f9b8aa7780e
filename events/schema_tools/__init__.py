"""What is generated from the catalogue: JSON Schemas, the AsyncAPI document, examples of refusals; and the gate that
refuses an incompatible change. Way in: `python -m events.generate`. Imports: everything else in `events`.
"""
