"""The event types: one file of models per domain, and the catalogue that lists every type with its model, role and
subject. Way in: `catalogue.CATALOGUE`.
"""
