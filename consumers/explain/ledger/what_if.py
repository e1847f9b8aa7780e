"""Prices the real history of a partnership under other terms, and compares every closed period. Nothing is written.

Flows in: the partnership's entries and terms. Flows out: what each party got, and would have got. The other terms hold
from the signing on: amendments are left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson

from consumers.documents.document import document_of
from consumers.documents.ledger.forecasts import ComparedPeriod, PricedFigures, WhatIf
from consumers.explain.ledger.folded import folded, statements_of
from consumers.replay.fold.anomaly import ANOMALY
from consumers.revenue.rows import Statement
from events.errors import YesserError
from events.validation.validate import validate_form
from events.validation.verdicts import Agency, Refused
from events.values.data import Data
from events.wire.entry import Entry, entry_bytes, event_bytes, parse_entry

_HEADERS = [("content-type", b"application/cloudevents+json")]
RawEvent = dict[str, Any]
"""An event as JSON, whose terms are not validated yet."""
_LEFT_OUT: Final = frozenset({"partnership.amended", "settlement.issued"})
"""Entries of the real history that state its terms or its figures."""


class WrongTerms(YesserError):
    """The terms have faults; each is listed with its pointer."""


class NothingSigned(YesserError):
    """No entry signs this partnership: `yesser ledger partnerships` lists the known ones."""


def what_if(partnership_id: str, entries: Sequence[tuple[int, bytes]], terms: Data) -> WhatIf:
    """Compare. `terms` replace members of the terms as signed. Raises `WrongTerms` or `NothingSigned`."""
    real = [parse_entry(index, raw) for index, raw in entries]
    actual, anomalies = _statements(real)
    supposed, further = _statements(_under(real, entries, terms))
    periods = sorted({*actual, *supposed})
    return WhatIf(
        partnership_id=partnership_id,
        periods=tuple(_compared(period, actual.get(period), supposed.get(period)) for period in periods),
        uncounted=tuple(sorted(further - anomalies)),
    )


def _compared(period: str, actual: Statement | None, supposed: Statement | None) -> ComparedPeriod:
    sides = [None if side is None else document_of(PricedFigures, asdict(side)) for side in (actual, supposed)]

    def difference(figure: str) -> int | None:
        return None if actual is None or supposed is None else getattr(supposed, figure) - getattr(actual, figure)

    return ComparedPeriod(
        period=period,
        actual=sides[0],
        what_if=sides[1],
        partner_difference_halalas=difference("partner_total_halalas"),
        treasury_difference_halalas=difference("treasury_total_halalas"),
    )


def require_terms(entries: Sequence[tuple[int, bytes]], terms: Data) -> None:
    """Raises `WrongTerms` or `NothingSigned` as `what_if` does, and prices nothing."""
    _under([parse_entry(index, raw) for index, raw in entries], entries, terms)


def _under(real: Sequence[Entry], entries: Sequence[tuple[int, bytes]], terms: Data) -> list[Entry]:
    """The same history with other terms from the signing on."""
    signed = next((number for number, entry in enumerate(real) if entry.type == "partnership.signed"), None)
    if signed is None:
        raise NothingSigned(NothingSigned.__doc__)
    entry, (index, raw) = real[signed], entries[signed]
    event = orjson.loads(event_bytes(raw))
    event["data"]["terms"] = {**event["data"]["terms"], **terms}
    changed = _written(event)
    verdict = validate_form(changed, _HEADERS, Agency(entry.agency, "agency"))
    if isinstance(verdict, Refused):
        faults = "; ".join(f"{f.pointer.removeprefix('/data/terms') or '/'}: {f.detail}" for f in verdict.faults)
        raise WrongTerms(faults)
    replaced = parse_entry(index, entry_bytes(entry.recorded, entry.address, changed))
    others = [other for other in real[signed + 1 :] if other.type not in _LEFT_OUT]
    return [*real[:signed], replaced, *others]


def _written(event: RawEvent) -> bytes:
    """The event as JSON. Raises `WrongTerms` if it is too deep to write.

    What orjson does not write (a number beyond 64 bits, half of a surrogate pair) is written all the same, for
    validation to refuse at its pointer.
    """
    try:
        return orjson.dumps(event)
    except TypeError:
        pass
    try:
        return json.dumps(event).encode()
    except RecursionError:
        raise WrongTerms("/: The terms are nested too deep; flatten them.") from None


def _statements(entries: Sequence[Entry]) -> tuple[dict[str, Statement], frozenset[int]]:
    """The statements by period, and the indexes of anomalies."""
    ledger = folded(entries)
    return statements_of(ledger), frozenset(row.index for row in ledger.rows(ANOMALY))
