"""What the OpenAPI document says of the answers of these routes. A test compares real answers with it."""

from __future__ import annotations

from typing import Any, Final

from consumers.documents.forecasts import Forecast, WhatIf
from consumers.documents.ledger import Account, ExplainedTransfer, Transfer
from consumers.documents.openapi import schema_of
from consumers.documents.periods import OpenPeriod, RevenuePeriod
from consumers.documents.statements import Share, WorkingAndDays
from infra.http.documents import INTEGER, TEXT, answer, shape

Schema = dict[str, Any]

_YES_OR_NO: Final[Schema] = {"type": "boolean"}
_ANY: Final[Schema] = {"description": "A figure: halalas, a number, or null."}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


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
    "transfers": _list(schema_of(ExplainedTransfer)),
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
    **shape(**_EXPLAINED, shares={**_list(schema_of(Share)), "description": "Of `partner_base_halalas` only."}),
    "required": list(_EXPLAINED),
}

OPEN_PERIODS: Final = answer("Open periods by partnership.", _list(schema_of(OpenPeriod)))
PERIODS: Final = answer("Periods in order.", _list(schema_of(RevenuePeriod)))
FORECAST: Final = answer("The shape of `yesser ledger forecast --json`.", schema_of(Forecast))
WHAT_IF: Final = answer("The shape of `yesser ledger what-if --json`.", schema_of(WhatIf))
WORKING: Final = answer(
    "The shape of `yesser ledger statement --working --json`, and lines by day and band.", schema_of(WorkingAndDays)
)
EXPLAINED: Final = answer("The shape of `yesser ledger explain --json`.", _EXPLAINED_SCHEMA)
ACCOUNTS: Final = answer("Accounts by name.", _list(schema_of(Account)))
ACCOUNT_TRANSFERS: Final = answer("Transfers in log order.", _list(schema_of(Transfer)))
