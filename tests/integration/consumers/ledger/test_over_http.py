"""The ledger's calculations over HTTP: the same from few entries here and from many by the command beside."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.ledger.over_http import calculations
from consumers.revenue.statements.read import expected_and_actual
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.every import every
from tests.integration.consumers.read_api.read_api import CALLERS, Window, change, lay_down, read_window
from tests.integration.consumers.read_api.read_story import story
from tests.world.logs import apply_live, raw_entries

OWN = "/v1/partnerships/PPP-HEALTH"
STATEMENT = f"{OWN}/statements/2005-01"
ACME = CALLERS["acme"]
OTHER = quote('{"bands": [{"up_to_halalas": null, "partner_bp": 1234}], "guarantee": null, "cap": null}')
CALCULATED = (f"{OWN}/forecast", f"{OWN}/what-if?terms={OTHER}", f"{STATEMENT}/explained/net_halalas")


def here_and_beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the partnership is calculated: in this process, then by the command."""
    for place, entries_max in (("here", 500), ("beside", 1)):
        monkeypatch.setattr(calculations, "ENTRIES_HERE_MAX", entries_max)
        yield place


async def test_few_entries_here_and_many_beside_give_the_same(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = (*CALCULATED[:2], f"{STATEMENT}/explained/partner_base_halalas", f"{STATEMENT}/explained/top_up_halalas")
    here, beside = [[await window.json(path, *ACME) for path in paths] for _ in here_and_beside(monkeypatch)]
    assert here == beside


@pytest.mark.parametrize("indexed", [0, 3])
async def test_entries_that_are_not_indexed_yet_are_read_from_the_log(
    settings: Settings, connection: Connection, indexed: int
) -> None:
    """The ledger has applied entries that the index of events has not."""
    log = story()
    await lay_down(connection, log, indexed)
    async with read_window(settings, connection) as behind:
        early = [await behind.json(path) for path in CALCULATED]
        await apply_live(connection, EVENT_INDEX, raw_entries(log))
        assert [await behind.json(path) for path in CALCULATED] == early


async def test_a_changed_entry_is_named(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    await change(window.connection, b'"amount_halalas":5000', b'"amount_halalas":9000')
    for place in here_and_beside(monkeypatch):
        for path in CALCULATED:
            answer = await window.get(path)
            assert answer.status_code == 500, (place, path, answer.text)
            (error,) = answer.json()["errors"]
            assert (error["code"], error["id"].isdigit()) == ("changed-entry", True), (place, path)


async def test_the_working_adds_up_and_names_days_only_where_they_are_few(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await window.json(f"{STATEMENT}/working", *ACME)
    assert here["statement"] == await window.json(STATEMENT, *ACME)
    assert sum(day["amount_halalas"] for day in here["days"]) == here["statement"]["net_halalas"]
    assert sum(share["partner_halalas"] for share in here["shares"]) == here["statement"]["partner_base_halalas"]
    *_, beside = [await window.json(f"{STATEMENT}/working", *ACME) for _ in here_and_beside(monkeypatch)]
    assert beside == here | {"days": None}


@every(
    "terms", ["", "[1]", "{", '{"bands": []}', '{"cap": {"amount_halalas": -1, "partner_bp_after": 0}}', '{"no": 1}']
)
async def test_faulty_terms_are_refused_with_what_is_wrong(
    window: Window, terms: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in here_and_beside(monkeypatch):
        answer = await window.get(f"{OWN}/what-if?terms={quote(terms)}", *ACME)
        assert answer.status_code == 422, (place, answer.text)
        assert answer.json()["errors"][0]["parameter"] == "terms"


async def test_a_period_that_is_not_closed_is_not_found(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in here_and_beside(monkeypatch):
        for path in ("working", "explained/net_halalas"):
            answer = await window.get(f"{OWN}/statements/2005-03/{path}", *ACME)
            assert answer.status_code == 404, (place, path)


async def test_other_terms_change_each_period_by_what_the_other_party_loses(window: Window) -> None:
    found = await window.json(f"{OWN}/what-if?terms={OTHER}", *ACME)
    assert [row["period"] for row in found["periods"]] == ["2005-01", "2005-02"]
    first = found["periods"][0]
    assert first["what_if"]["partner_total_halalas"] == first["actual"]["net_halalas"] * 1234 // 10_000
    assert all(row["partner_difference_halalas"] == -row["treasury_difference_halalas"] for row in found["periods"])


async def test_a_changed_row_differs_from_its_entries(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{STATEMENT}/explained/prior_period_halalas"
    assert (await window.json(path))["ok"]
    await window.connection.execute(
        "UPDATE revenue.period SET prior_period_halalas = 7 WHERE partnership_id = 'PPP-HEALTH' AND period = '2005-01'"
    )
    for place in here_and_beside(monkeypatch):
        found = await window.json(path)
        assert not found["ok"], place
        assert (found["figures"], found["total"]) == ({"prior_period_halalas": 7}, {"prior_period_halalas": 0}), place


async def test_the_periods_of_the_term_have_what_came_and_what_their_statements_say(window: Window) -> None:
    periods = await window.json(f"{OWN}/periods", *ACME)
    closed = [row for row in periods if row["closed"]]
    assert [row["period"] for row in closed] == ["2005-01", "2005-02"]
    for row in closed:
        statement = await window.json(f"{OWN}/statements/{row['period']}", *ACME)
        assert all(row[name] == statement[name] for name in ("net_halalas", "partner_total_halalas", "closing_index"))
    own = await window.json(OWN, *ACME)
    (opened,) = await window.json("/v1/open-periods", *ACME)
    assert opened["period"] == own["open_period"] == "2005-03"
    expected = next(row for row in periods if row["period"] == opened["period"])
    assert (opened["expected_halalas"], opened["net_halalas"]) == (expected["expected_halalas"], 0)
    assert len(await window.json("/v1/open-periods")) == 2
    assert [len(page) for page in await window.pages("/v1/open-periods", 1)] == [1, 1]


async def test_the_transfers_of_an_account_give_its_balance(window: Window) -> None:
    accounts = await window.json(f"{OWN}/accounts", *ACME)
    assert sum(row["balance_halalas"] for row in accounts) == 0
    for row in accounts:
        pages = await window.pages(f"{OWN}/accounts/{row['kind']}/transfers", 1, *ACME)
        transfers = [transfer for page in pages for transfer in page]
        assert len(transfers) == row["transfers_count"]
        signed = (t["amount_halalas"] * (1 if t["debit"] == row["account"] else -1) for t in transfers)
        assert sum(signed) == row["balance_halalas"]
    assert (await window.get(f"{OWN}/accounts/no-such/transfers", *ACME)).status_code == 422


async def test_a_transfer_names_what_priced_it_and_its_rule(window: Window) -> None:
    ledger = window.connection
    found = (await window.json(f"{OWN}/transfers?limit=1000", *ACME))["transfers"]
    priced = {
        row["first_index"]: (row["contract_version"], row["window_number"])
        for row in await ledger.fetch("SELECT * FROM revenue.receipt WHERE partnership_id = 'PPP-HEALTH'")
    }
    assert {row["index"]: (row["contract_version"], row["window"]) for row in found if row["rule"] == "R8"} == priced
    assert {row["kind"] for row in found if row["rule"] == "R8"} <= {"receipt-partner", "receipt-treasury"}
    one_by_one = await window.pages(f"{OWN}/transfers", 1, *ACME)
    assert [row for page in one_by_one for row in page["transfers"]] == found


async def test_after_a_termination_nothing_is_expected(window: Window) -> None:
    ledger = window.connection
    async with ledger.transaction():
        await ledger.execute("SET LOCAL search_path = revenue")
        await ledger.execute(
            "INSERT INTO expected SELECT 'PPP-HEALTH', 0, '2005-0' || month, 100, 0 FROM generate_series(1, 9) AS month"
        )
        await ledger.execute("UPDATE contract SET last_period = '2005-04' WHERE partnership_id = 'PPP-HEALTH'")
        found = await expected_and_actual(ledger, "PPP-HEALTH")
    assert [row.period for row in found] == [f"2005-0{month}" for month in range(1, 5)]
