"""Explains a figure of a read model: the entries that made it, each with the value before and after it, their proofs,
and the formula by which it follows from others. Way in: `explain.explain`; the figures: `shown_models.models`.
"""
