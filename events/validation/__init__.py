"""Validation: one record in, one verdict out. The quick check accepts; all other records take the full check, which
lists every fault. Way in: `validate.validate` (registrar) and `validate.validate_form` (gateway).
"""
