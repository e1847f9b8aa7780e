"""Explains a figure of a read model: the entries that made it, each with the value before and after it, and their
proofs. Way in: `explain.explain`; the figures: `models.MODELS`. Imports: the consumers' folds, `consumers.offline`.
"""
