"""What if: the same terms change nothing, other terms give what the oracle gives for a contract signed so."""

from __future__ import annotations

import copy
from functools import cache, partial
from typing import Any

import pytest

from consumers.explain.ledger.what_if import NothingSigned, WrongTerms, require_terms, what_if
from tests.every import every
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict, make_entry, make_event, short_type
from tests.world.partnership import numbered, raw

OTHER: dict[str, Any] = {
    "bands": [{"up_to_halalas": 777_777, "partner_bp": 1234}, {"up_to_halalas": None, "partner_bp": 4321}],
    "cap": None,
}


@cache
def own() -> list[EntryDict]:
    """The entries of the partnership that has most, numbered anew so that the oracle takes them for a log."""
    log = entries_from(generate(21, 400, REVENUE))
    subject = max(
        {entry["event"]["subject"] for entry in log if short_type(entry["event"]) == "revenue.period-closed"},
        key=lambda subject: sum(entry["event"]["subject"] == subject for entry in log),
    )
    return numbered(entry for entry in log if entry["event"]["subject"] == subject)


def without(name: str) -> list[EntryDict]:
    return numbered(entry for entry in own() if short_type(entry["event"]) != name)


def test_the_same_terms_change_nothing() -> None:
    found = what_if("P", raw(without("partnership.amended")), {})
    assert found.periods
    assert not found.uncounted
    assert all(row.partner_difference_halalas == 0 for row in found.periods)
    with pytest.raises(NothingSigned):
        what_if("P", raw(without("partnership.signed")), {})


def test_other_terms_give_the_oracles_statements_of_a_contract_signed_so() -> None:
    history = own()
    found = what_if("P", raw(history), OTHER)
    changed = copy.deepcopy(without("partnership.amended"))
    signed = next(entry for entry in changed if short_type(entry["event"]) == "partnership.signed")
    signed["event"]["data"]["terms"] |= OTHER
    expected = fold(changed).statements
    names = ("net_halalas", "partner_base_halalas", "top_up_halalas", "partner_total_halalas")
    supposed = {row.period: row.what_if for row in found.periods if row.what_if is not None}
    assert {period: [getattr(side, name) for name in names] for period, side in supposed.items()} == {
        row["period"]: [row[name] for name in names] for row in expected
    }
    assert {row.period for row in found.periods if row.actual is not None} == {
        row["period"] for row in fold(history).statements
    }
    # Settlements of the real terms do not stand in the way.
    closed = fold(history).statements[0]
    settled = make_event("settlement.issued", "platform", history[0]["event"]["subject"], dict(closed), "settlement")
    assert what_if("P", raw([*history, make_entry(len(history), settled)]), OTHER).periods == found.periods


def nested(depth: int) -> dict[str, Any]:
    terms: dict[str, Any] = {}
    for _ in range(depth):
        terms = {"cap": terms}
    return terms


@every(
    ("terms", "named"),
    [
        ({"bands": []}, "/bands"),
        ({"bands": [{"up_to_halalas": 5, "partner_bp": 1}]}, "/bands"),
        ({"unknown": 1}, "/unknown"),
        ({"cap": {"amount_halalas": -1, "partner_bp_after": 0}}, "/cap/amount_halalas"),
        (
            {"cap": {"amount_halalas": 2**64, "partner_bp_after": 0}},
            "halalas: 18446744073709551616 is beyond",
        ),
        ({"cap": {"amount_halalas": -(2**63) - 1, "partner_bp_after": 0}}, r"/cap/amount_halalas: .* is beyond"),
        ({"calendar": "\ud800"}, "/calendar: The text holds NUL or half of a surrogate pair"),
        (nested(300), "nested more than 16 levels"),
        (nested(100_000), "nested too deep"),
    ],
)
def test_faulty_terms_and_those_that_no_event_can_hold_are_named(terms: dict[str, Any], named: str) -> None:
    for price in (partial(what_if, "P"), require_terms):
        with pytest.raises(WrongTerms, match=named):
            price(raw(own()), terms)
