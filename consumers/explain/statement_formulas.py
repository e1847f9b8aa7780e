"""The formula of each field of a statement (events.md §5).

Some amounts are other fields of the statement; the others follow from postings, terms and earlier periods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumers.documents.document import fields
from consumers.documents.formulas import GREATER, LESSER, MINUS, PLUS, RATE, Amount, Both, Expression, Nothing
from consumers.documents.ledger.statements import Statement
from events.values.bilingual import Bilingual

LABELS: Final[Mapping[str, Bilingual]] = {
    **{field.name: field.label for field in fields(Statement)},
    "receipts_halalas": Bilingual("مجموع تحصيلات الفترة", "the sum of the period's receipts"),
    "reversals_halalas": Bilingual("مجموع المردود في الفترة", "the sum of the period's reversals"),
    "prior_postings_halalas": Bilingual(
        "التحصيلات ناقص المردود، مما هو مؤرخ في فترات مقفلة", "receipts less reversals that are dated in closed periods"
    ),
    "shares_halalas": Bilingual(
        "مجموع حصص الشريك من تحصيلات الفترة ومن المردود فيها",
        "the sum of the partner's shares of receipts and reversals",
    ),
    "closing_before_halalas": Bilingual(
        "الرصيد الختامي للفترة السابقة، وصفر أولًا", "the closing cumulative of the period before, zero at first"
    ),
    "outstanding_before_halalas": Bilingual("التكملة القائمة قبل الفترة", "the top-up outstanding before the period"),
    "floor_bp": Bilingual("النسبة المضمونة", "the guaranteed rate"),
    "agreed_halalas": Bilingual(
        "المتوقع للفترة في نسخة العقد السارية", "what the version in force expects of the period"
    ),
    "version_in_force": Bilingual(
        "آخر نسخة في السجل لا تبدأ بعد هذه الفترة", "the last version in the log that does not begin after this period"
    ),
    "first_posting": Bilingual("أول تحصيل أو مردود في الفترة", "the period's first receipt or reversal"),
    "last_posting": Bilingual("آخر تحصيل أو مردود في الفترة", "the period's last receipt or reversal"),
    "closing_entry": Bilingual("القيد الذي أقفل الفترة", "the entry that closed the period"),
}
"""The names of fields and amounts."""
_NO_GUARANTEE: Final = Nothing(Bilingual("لا ضمان في نسخة العقد السارية", "the version in force has no guarantee"))
_NOT_RECOVERED: Final = Nothing(
    Bilingual("لا تُسترد التكملة بنسخة العقد السارية", "top-ups are not recovered under the version in force")
)
_ZERO: Final = Nothing(Bilingual("صفر", "zero"))


def _named(name: str) -> Amount:
    return Amount(name, LABELS[name])


def _amount(name: str) -> Amount:
    return _named(f"{name}_halalas")


FORMULAS: Final[Mapping[str, Expression]] = {
    "contract_version": _named("version_in_force"),
    "expected_halalas": _amount("agreed"),
    "opening_cumulative_halalas": _amount("closing_before"),
    "collected_halalas": _amount("receipts"),
    "reversed_halalas": _amount("reversals"),
    "net_halalas": Both(MINUS, _amount("collected"), _amount("reversed")),
    "prior_period_halalas": _amount("prior_postings"),
    "closing_cumulative_halalas": Both(PLUS, _amount("opening_cumulative"), _amount("net")),
    "partner_base_halalas": _amount("shares"),
    "guarantee_halalas": Both(RATE, _named("floor_bp"), _amount("expected")),
    "top_up_halalas": Both(GREATER, _ZERO, Both(MINUS, _amount("guarantee"), _amount("partner_base"))),
    "recovered_halalas": Both(
        LESSER,
        _amount("outstanding_before"),
        Both(GREATER, _ZERO, Both(MINUS, _amount("partner_base"), _amount("guarantee"))),
    ),
    "top_up_outstanding_halalas": Both(
        MINUS, Both(PLUS, _amount("outstanding_before"), _amount("top_up")), _amount("recovered")
    ),
    "partner_total_halalas": Both(MINUS, Both(PLUS, _amount("partner_base"), _amount("top_up")), _amount("recovered")),
    "treasury_total_halalas": Both(MINUS, _amount("net"), _amount("partner_total")),
    "first_index": _named("first_posting"),
    "last_index": _named("last_posting"),
    "closing_index": _named("closing_entry"),
}
"""Field of a statement, in the order of paper → its formula under a guarantee whose top-ups are recovered."""
_GUARANTEED: Final = ("guarantee_halalas", "top_up_halalas", "recovered_halalas")


def formula_of(field: str, guarantee: Mapping[str, Any] | None) -> Expression:
    """The formula of a field under the guarantee in force (R12)."""
    if guarantee is None and field in _GUARANTEED:
        return _NO_GUARANTEE
    if guarantee is None or not guarantee["recoverable"]:
        if field == "recovered_halalas":
            return _NOT_RECOVERED
        if field == "top_up_outstanding_halalas":
            return _amount("outstanding_before")
    return FORMULAS[field]
