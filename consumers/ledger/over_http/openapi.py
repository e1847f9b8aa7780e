"""What the OpenAPI document says of the answers of these routes. A test compares real answers with it."""

from __future__ import annotations

from typing import Any, Final

from consumers.read_api.documents import STATEMENT, TRANSFER
from infra.http.documents import INTEGER, TEXT, answer, shape

Schema = dict[str, Any]

_HALALAS: Final[Schema] = {"type": "integer", "description": "Whole halalas."}
_YES_OR_NO: Final[Schema] = {"type": "boolean"}
_EXACT: Final[Schema] = {
    "anyOf": [{"type": "integer"}, TEXT, {"type": "null"}],
    "description": "Halalas; a fraction of one as text, such as `79/20`; null: without a bound.",
}
_ANY: Final[Schema] = {"description": "A figure: halalas, a number, or null."}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_OPEN: Final = shape(partnership_id=TEXT, period=_or_null(TEXT), expected_halalas=_HALALAS, net_halalas=_HALALAS)
_PERIOD: Final = shape(
    period=TEXT,
    contract_version=INTEGER,
    closed=_YES_OR_NO,
    expected_halalas=_HALALAS,
    net_halalas=_HALALAS,
    partner_total_halalas=_or_null(_HALALAS),
    treasury_total_halalas=_or_null(_HALALAS),
    top_up_halalas=_or_null(_HALALAS),
    recovered_halalas=_or_null(_HALALAS),
    closing_index=_or_null(INTEGER),
)
_FORECAST_FIGURES: Final = shape(
    **{
        f"{name}_halalas": _HALALAS
        for name in ("net", "guarantee", "top_up", "recovered", "partner_total", "treasury_total")
    }
)
_FORECAST: Final = shape(
    partnership_id=TEXT,
    pace=_or_null({**TEXT, "description": "Net to expected of the closed periods, such as `79/100`."}),
    top_ups_to_come_halalas=shape(pace=_HALALAS, expected=_HALALAS, nothing=_HALALAS),
    periods=_list(
        shape(
            period=TEXT,
            closed=_YES_OR_NO,
            expected_halalas=_HALALAS,
            net_so_far_halalas=_HALALAS,
            pace=_FORECAST_FIGURES,
            expected=_FORECAST_FIGURES,
            nothing=_FORECAST_FIGURES,
        )
    ),
)
_SIDE: Final = _or_null(
    shape(
        **{
            f"{name}_halalas": _HALALAS
            for name in ("net", "partner_base", "top_up", "recovered", "partner_total", "treasury_total")
        }
    )
)
_WHAT_IF: Final = shape(
    partnership_id=TEXT,
    periods=_list(
        shape(
            period=TEXT,
            actual=_SIDE,
            what_if=_SIDE,
            partner_difference_halalas=_or_null(_HALALAS),
            treasury_difference_halalas=_or_null(_HALALAS),
        )
    ),
    uncounted={**_list(INTEGER), "description": "Entries that do not count under these terms."},
)
_BAND: Final[dict[str, Schema]] = {
    "kind": {"enum": ["below-zero", "band", "beyond-cap"]},
    "above_halalas": _EXACT,
    "up_to_halalas": _EXACT,
    "amount_halalas": _EXACT,
    "rate_bp": INTEGER,
    "share_halalas": _EXACT,
}
_SHARE: Final = shape(
    contract_version=INTEGER,
    window=INTEGER,
    postings=INTEGER,
    cumulative_halalas=_list(_list(_HALALAS)),
    bands=_list(shape(**_BAND)),
    exact_halalas=_EXACT,
    rounding_halalas=_EXACT,
    partner_halalas=_HALALAS,
)
_GUARANTEE: Final = shape(
    partner_floor_bp_of_expected=INTEGER,
    recoverable=_YES_OR_NO,
    expected_halalas=_HALALAS,
    guarantee_halalas=_HALALAS,
    top_up_outstanding_before_halalas=_HALALAS,
)
_STATEMENT: Final[Schema] = STATEMENT["content"]["application/json"]["schema"]
_WORKING: Final = shape(
    statement=_STATEMENT,
    shares=_list(_SHARE),
    guarantee=_or_null(_GUARANTEE),
    payouts=_list(shape(payout_id=TEXT, amount_halalas=_HALALAS, paid_on=TEXT, index=INTEGER)),
    payable_halalas=_HALALAS,
    checkpoint=_or_null(shape(size=INTEGER, root=TEXT)),
    days=_or_null(_list(shape(dated_on=TEXT, contract_version=INTEGER, postings=INTEGER, **_BAND))),
)
_TRANSFER: Final = shape(
    index=INTEGER,
    line=INTEGER,
    partnership_id=TEXT,
    period=_or_null(TEXT),
    kind=TEXT,
    debit=TEXT,
    credit=TEXT,
    amount_halalas=_HALALAS,
    rule=TRANSFER["properties"]["rule"],
)
_STEP: Final = shape(
    index=INTEGER,
    recordedtime=TEXT,
    type=TEXT,
    agency=TEXT,
    subject=TEXT,
    id=TEXT,
    data={"type": "object"},
    waited=_list(INTEGER),
    changes={"type": "object", "additionalProperties": shape(before=_ANY, after=_ANY)},
)
_EXPLAINED: Final[dict[str, Schema]] = {
    "partnership_id": TEXT,
    "period": TEXT,
    "field": TEXT,
    "value": _or_null({"type": "integer"}),
    "formula": shape(ar=TEXT, en=TEXT, numbers=TEXT),
    "amounts": {"type": "object", "additionalProperties": _or_null({"type": "integer"})},
    "terms": shape(version=INTEGER, effective_from=TEXT, index=INTEGER),
    "transfers": _list(_TRANSFER),
    "model": TEXT,
    "key": TEXT,
    "log_index": INTEGER,
    "is_complete": _YES_OR_NO,
    "figures": {"type": "object", "additionalProperties": _ANY},
    "start": {"type": "object", "additionalProperties": _ANY},
    "total": {"type": "object", "additionalProperties": _ANY},
    "ok": {**_YES_OR_NO, "description": "Whether the entries add up to the figure of the live table."},
    "steps_count": INTEGER,
    "earlier": _or_null(
        shape(
            count=INTEGER,
            first_index=INTEGER,
            last_index=INTEGER,
            after={"type": "object", "additionalProperties": _ANY},
        )
    ),
    "steps": _list(_STEP),
}
_EXPLAINED_SCHEMA: Final[Schema] = {
    **shape(**_EXPLAINED, shares={**_list(_SHARE), "description": "Of `partner_base_halalas` only."}),
    "required": list(_EXPLAINED),
}

_ACCOUNT: Final = shape(
    kind=TEXT,
    account=TEXT,
    debits_halalas=_HALALAS,
    credits_halalas=_HALALAS,
    balance_halalas=_HALALAS,
    transfers_count=INTEGER,
    first_index=INTEGER,
    last_index=INTEGER,
)

OPEN_PERIODS: Final = answer("Open periods by partnership.", _list(_OPEN))
PERIODS: Final = answer("Periods in order.", _list(_PERIOD))
FORECAST: Final = answer("The shape of `yesser ledger forecast --json`.", _FORECAST)
WHAT_IF: Final = answer("The shape of `yesser ledger what-if --json`.", _WHAT_IF)
WORKING: Final = answer("The shape of `yesser ledger statement --working --json`, and lines by day and band.", _WORKING)
EXPLAINED: Final = answer("The shape of `yesser ledger explain --json`.", _EXPLAINED_SCHEMA)
ACCOUNTS: Final = answer("Accounts by name.", _list(_ACCOUNT))
ACCOUNT_TRANSFERS: Final = answer("Transfers in log order.", _list(TRANSFER))
