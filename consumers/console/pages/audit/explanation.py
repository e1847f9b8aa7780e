"""What a page says of an explanation besides: the sum that leads to a number."""

from __future__ import annotations

from typing import Final

from consumers.documents.log.explanations import Explanation

TERMS_MAX: Final = 8
"""Terms of a sum that are written out."""


def terms_of(document: Explanation) -> list[int] | None:
    """The changes of a number, if one figure is explained and has few enough steps, all of them known; else None."""
    field = document.field
    if field is None or document.earlier is not None or len(document.steps) > TERMS_MAX:
        return None
    amounts = [step.changes[field].amount for step in document.steps]
    terms = [amount for amount in amounts if amount is not None]
    return terms if terms and len(terms) == len(amounts) else None
