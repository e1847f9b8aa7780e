"""What people and programs read of each noun of the programme: one typed document, from which every surface is made.

Way in: a noun (`services`), and the renderers of all nouns (`document`, `openapi`, `tables`). Imports: `infra`.
"""
