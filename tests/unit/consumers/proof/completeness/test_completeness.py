"""Numbers by agency and month from entries alone: against sets of numbers, as the decision says it in words."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest
from asyncpg import Range
from hypothesis import given
from hypothesis import strategies as st

from consumers.documents.log.entries import MonthRow, ranges_text
from consumers.proof.audit.derived import Numbers
from consumers.proof.completeness import routes
from consumers.proof.completeness.commands import COLUMNS, document, file_rows, page
from consumers.proof.completeness.derive import Completeness
from consumers.proof.completeness.stored import require_same
from consumers.revenue.statements.formats import to_html
from events.wire.entry import NotAnEntry, entry_bytes
from infra.log.authority import TableDiffers
from tests.every import every
from tests.world.documents import as_json
from tests.world.records import registered, said

MONTHS = ("2026-10", "2026-11", "2026-12", "2027-01")
CODES = ("health", "labour")


def entry(code: str, month: str, number: int | None, offset: int, *, refused: bool = False) -> bytes:
    recorded = f"{month}-15T08:00:00.000000Z"
    event = said(f"e{offset}", sequence=number)
    if refused:
        event = orjson.dumps(
            orjson.loads(event) | {"type": "sa.gov.yesser.registrar.refused.v1", "source": "urn:yesser:agency:platform"}
        )
    return entry_bytes(recorded, f"agency.{code}.events/0/{offset}", event)


def registration(code: str, month: str) -> bytes:
    return entry_bytes(f"{month}-01T08:00:00.000000Z", f"agency.platform.events/0/{len(code)}", registered(code))


Sent = tuple[str, int | None, bool]
"""Month, number, whether it is refused."""
sent = st.lists(
    st.tuples(
        st.sampled_from(CODES),
        st.sampled_from((0, 0, 0, 0, 1)),  # months later
        st.one_of(st.none(), st.integers(1, 12)),
        st.sampled_from((False, False, False, True)),
    ),
    max_size=40,
)


def expected_row(own: list[Sent], month: str) -> tuple[str, set[int], set[int]]:
    """Status, the numbers in the log and the missing ones, of what an agency sent."""
    numbers = {number for _, number, refused in own if number is not None and not refused}
    here = {number for label, number, refused in own if label == month and number is not None and not refused}
    refusals = [refused for label, _, refused in own if label == month]
    before = max((n for label, n, refused in own if label < month and n is not None and not refused), default=0)
    due = set(range(before + 1, max([before, *here]) + 1))
    if not refusals:
        return "nothing-sent", set(), set()
    if not here:
        return "no-numbers-in-log" if True in refusals else "no-numbers-sent", set(), set()
    if not due:
        return "only-earlier-numbers", set(), set()
    return "complete" if due <= numbers else "incomplete", due & numbers, due - numbers


def numbers_of(ranges: list[list[int]]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(sent, st.integers(1, 7))
def test_each_month_has_numbers_above_the_last(history: list[tuple[str, int, int | None, bool]], batch: int) -> None:
    expected: dict[str, list[Sent]] = {code: [] for code in CODES}
    entries = [registration(code, MONTHS[0]) for code in CODES]
    month = 0
    for offset, (code, later, number, refused) in enumerate(history):
        month = min(month + later, len(MONTHS) - 1)
        entries.append(entry(code, MONTHS[month], number, offset, refused=refused))
        expected[code].append((MONTHS[month], number, refused))
    found = Completeness()
    for first in range(0, len(entries), batch):
        found.add(first, entries[first : first + batch])
    assert found.size == len(entries)
    rows = list(found.rows())
    assert [(row.agency, row.month) for row in rows] == [(c, m) for c in CODES for m in MONTHS[: month + 1]]
    for row in rows:
        own = expected[row.agency]
        status, in_log, missing = expected_row(own, row.month)
        assert (row.status.value, numbers_of(row.in_log), numbers_of(row.missing)) == (status, in_log, missing)
        assert row.missing_count == (len(missing) if in_log or missing else None)
        refusals = [refused for label, _, refused in own if label == row.month]
        assert (row.entries, row.refused) == (refusals.count(False), refusals.count(True))
        accepted = [number for _, number, refused in own if not refused]
        assert numbers_of(row.repeated) == {number for number in in_log if accepted.count(number) > 1}
    for code in CODES:
        assert list(found.rows(code)) == [row for row in rows if row.agency == code]
        assert list(found.rows(code, MONTHS[0])) == [r for r in rows if (r.agency, r.month) == (code, MONTHS[0])]
    everything = numbers_of([[first, last] for row in rows if row.agency == CODES[0] for first, last in row.in_log])
    kept = found.numbers().get(CODES[0], Numbers()).pairs()["accepted"]
    assert everything == numbers_of([[first, end - 1] for first, end in kept])


def completeness_of(*entries: bytes) -> list[MonthRow]:
    found = Completeness()
    found.add(0, entries)
    return list(found.rows())


def test_a_month_begins_at_midnight_in_riyadh_and_the_platform_has_no_numbers() -> None:
    late = entry_bytes("2026-10-31T21:00:00.000000Z", "agency.health.events/0/0", said("a", sequence=1))
    assert [row.month for row in completeness_of(late)] == ["2026-11"]
    assert completeness_of(registration("platform", "2026-10")) == []
    with pytest.raises(NotAnEntry, match="index 1"):
        completeness_of(late, b"{}")


def test_numbers_that_are_too_scattered_are_not_known_and_not_compared() -> None:
    scattered = [2 * n + 1 for n in range(20)]
    found = Completeness(ranges_max=5)
    found.add(0, [entry("health", "2026-10", number, place) for place, number in enumerate(scattered)])
    (health,) = found.rows()
    assert (health.status.value, health.missing_count, health.missing, health.last) == ("not-known", None, [], 39)
    found.add(20, [entry("labour", "2026-10", 1, 20)])
    assert found.overflowed() == {"health"}

    def row(*numbers: int, overflowed_index: int | None = None) -> dict[str, object]:
        ranges = [Range(Decimal(number), Decimal(number + 1)) for number in numbers]
        return {"accepted": ranges, "repeated": [], "overflowed_index": overflowed_index}

    require_same(found, {"health": row(*scattered), "labour": row(1)})
    require_same(found, {"health": row(*scattered), "labour": row(overflowed_index=7)})
    for labour in (row(2), row()):
        with pytest.raises(TableDiffers, match=r"log\.sequence_state, labour"):
            require_same(found, {"health": row(*scattered), "labour": labour})


def test_numbers_of_more_than_53_bits_are_texts_in_json() -> None:
    (row,) = completeness_of(entry("health", "2026-10", 10**20 - 1, 0))
    (shown,) = as_json(document([row], 1, ""))["rows"]
    assert shown["last"] == str(10**20 - 1)
    assert shown["missing"] == [[1, str(10**20 - 2)]]
    assert shown["missing_count"] == str(10**20 - 2)
    assert shown["entries"] == 1
    assert next(file_rows([row]))[7] == str(10**20 - 1)


def test_of_refused_records_it_is_not_said_that_they_had_no_numbers() -> None:
    rows = completeness_of(
        entry("health", "2026-10", 1, 0),
        entry("health", "2026-11", 2, 1, refused=True),
        entry("health", "2026-12", 3, 2, refused=True),
        entry("health", "2026-12", None, 3),
        entry("health", "2027-01", None, 4),
    )
    assert [(row.status.value, row.entries, row.refused) for row in rows] == [
        ("complete", 1, 0),
        ("no-numbers-in-log", 0, 1),
        ("no-numbers-in-log", 1, 1),
        ("no-numbers-sent", 1, 0),
    ]
    html = to_html(page(rows, {}, 5, "ab"))
    assert "No numbers in the log: it holds none of refused records" in html
    assert "لا أرقام في السجل: لا يحفظ أرقام المرفوض" in html


@every(
    ("last", "missing", "overflowed_index", "status"),
    [
        (None, None, None, "no-numbers-sent"),
        (5, None, None, "only-earlier-numbers"),
        (15, 0, None, "complete"),
        (15, 3, None, "incomplete"),
        (15, 3, 40, "not-known"),
        (5, None, 40, "not-known"),
    ],
)
def test_a_month_of_the_route_says_what_is_known(
    last: int | None, missing: int | None, overflowed_index: int | None, status: str
) -> None:
    """Ten numbers were read before the month."""
    first = 11 if last is None else min(11, last + 1)
    found = {"agency": "health", "first": first, "last": last, "missing_count": missing}
    assert routes._row(found | {"overflowed_index": overflowed_index}).status.value == status


def test_the_page_and_the_rows_of_a_file_say_the_same() -> None:
    completeness = Completeness()
    numbers = [entry("health", "2026-10", n, n) for n in (1, 2, 5, 5)]
    completeness.add(0, [registration("labour", "2026-10"), *numbers, entry("health", "2026-12", None, 9)])
    rows = list(completeness.rows())
    assert [(row.agency, row.month, row.status.value) for row in rows] == [
        ("health", "2026-10", "incomplete"),
        ("health", "2026-11", "nothing-sent"),
        ("health", "2026-12", "no-numbers-sent"),
        *(("labour", month, "nothing-sent") for month in ("2026-10", "2026-11", "2026-12")),
    ]
    (first, *_) = file_rows(rows)
    assert dict(zip(COLUMNS, first, strict=True)) == {
        "agency": "health", "month": "2026-10", "status": "incomplete", "entries": 4, "numbered": 4, "refused": 0,
        "first": "1", "last": "5", "missing_count": "2", "in_log": "1-2 5", "missing": "3-4", "repeated": "5",
    }  # fmt: skip
    html = to_html(page(rows, completeness.names, 6, "ab"))
    for text in ("Agency: health", "Agency: Agency (labour)", "No numbers were sent", "لم تُرسل أرقام", "2: 3-4"):
        assert text in html
    assert "6 entries, root ab" in html
    assert ranges_text([[1, 1], [3, 4], [9, 9]], 2) == "1 3-4 +1"
