"""Explains a figure of a read model: the entries that made it, each with the value before and after it, and their
proofs. Way in: `explain.explain`; the figures: `shown_models.models`.
"""
