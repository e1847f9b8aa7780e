"""What somebody types into the search of the log."""

from __future__ import annotations

from consumers.console.pages.audit.routes import asked_of, faults_of
from tests.every import every
from tests.page_rules import faults_of as faults_of_page
from tests.world.pages import OFFICE, browser

NOTHING = dict.fromkeys(("agency", "type", "subject", "id", "from", "to"), "")


@every(
    ("typed", "faults"),
    [
        ({}, {}),
        ({"type": "service.launched", "from": "2026-11-01", "to": "2026-11-01"}, {}),
        ({"type": "service.flown"}, {"type": "type"}),
        ({"from": "yesterday"}, {"from": "date"}),
        ({"from": "2026-02-30"}, {"from": "date"}),
        ({"from": "20261101"}, {"from": "date"}),
        ({"to": "1200-01-01"}, {"to": "date"}),
        ({"from": "2026-11-02", "to": "2026-11-01"}, {"to": "order"}),
    ],
)
def test_a_fault_is_named_at_its_field(typed: dict[str, str], faults: dict[str, str]) -> None:
    assert faults_of(NOTHING | typed) == faults


def test_days_are_those_of_riyadh_and_what_is_empty_is_not_asked() -> None:
    given = NOTHING | {"from": "2026-11-01", "to": "2026-11-02", "agency": "health"}
    days = {"recorded_from": "2026-11-01T00:00:00+03:00", "recorded_to": "2026-11-02T23:59:59.999999+03:00"}
    assert asked_of(given) == {"subject": None, "type": None, "id": None, "agency": "health", **days}


async def test_the_number_of_an_entry_leads_to_it_and_what_cannot_be_searched_for_is_refused() -> None:
    """The database of these tests is away: it is not asked."""
    async with browser(OFFICE, "en") as client:
        for number in ("1042", " 1,042 ", "١٬٠٤٢", "۱۰۴۲"):
            answer = await client.get("/audit/entries", params={"index": number})
            assert answer.headers["location"] == "/audit/entries/1042", number
        for typed in ("agency=BAD!", "subject=a%00b", "from=2026-W01-1", "after=x", f"subject={'x' * 300}"):
            assert (await client.get(f"/audit/log?{typed}")).status_code == 422, typed
        for path in (
            "entries/-1",
            f"entries/{10**20}",
            "entries/first",
            "anomalies?after=x",
            "completeness?month=2026-99",
        ):
            assert (await client.get(f"/audit/{path}")).status_code == 422, path
        faulty = (await client.get("/audit/log?from=yesterday&subject=service/S-1")).text
        assert [text in faulty for text in ('value="yesterday"', 'value="service/S-1"', "Write a date")] == [True] * 3
        assert faults_of_page(faulty) == []
        assert (await client.get("/audit/log")).status_code == 503
