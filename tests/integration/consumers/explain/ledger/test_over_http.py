"""The ledger's calculations over HTTP: the same from few entries here and from many by the command beside."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from consumers.explain.ledger.over_http import routes as calculations
from consumers.explain.over_http import routes as answers
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue.statements.read import expected_and_actual
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.api.read_api import CALLERS, Window, change, lay_down, read_window
from tests.integration.consumers.api.read_story import story
from tests.world.logs import apply_live, raw_entries

OWN = "/v1/partnerships/PPP-HEALTH"
STATEMENT = f"{OWN}/statements/2005-01"
ACME = CALLERS["acme"]
OTHER = quote('{"bands": [{"up_to_halalas": null, "partner_bp": 1234}], "guarantee": null, "cap": null}')
FAULTY = ("", "[1]", "{", '{"bands": []}', '{"cap": {"amount_halalas": -1, "partner_bp_after": 0}}', '{"no": 1}')
CALCULATED = (f"{OWN}/forecast", f"{OWN}/what-if?terms={OTHER}", f"{STATEMENT}/explained/net_halalas")


def here_and_beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the partnership is calculated: in this process, then by the command."""
    for place, entries_max in (("here", 500), ("beside", 1)):
        for module in (answers, calculations):
            monkeypatch.setattr(module, "ENTRIES_HERE_MAX", entries_max)
        yield place


async def test_entries_that_are_not_indexed_yet_are_read_from_the_log(
    settings: Settings, connection: Connection
) -> None:
    """The ledger has applied entries that the index of events has not."""
    log = story()
    await lay_down(connection, log, 0)
    async with read_window(settings, connection) as behind:
        early = []
        for indexed in (0, 3, len(log)):
            await apply_live(connection, EVENT_INDEX, raw_entries(log)[:indexed])
            early.append([await behind.json(path) for path in CALCULATED])
    assert early[0] == early[1] == early[2]


async def test_few_entries_here_and_many_beside_give_the_same(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = (*CALCULATED[:2], f"{STATEMENT}/explained/partner_base_halalas")
    here, beside = [[await window.json(path, *ACME) for path in paths] for _ in here_and_beside(monkeypatch)]
    assert here == beside
    first, second = beside[1]["periods"]
    assert (first["period"], second["period"]) == ("2005-01", "2005-02")
    assert first["what_if"]["partner_total_halalas"] == first["actual"]["net_halalas"] * 1234 // 10_000
    for row in (first, second):
        assert row["partner_difference_halalas"] == -row["treasury_difference_halalas"]

    # The working adds up, and names days only where they are few.
    few, many = [await window.json(f"{STATEMENT}/working", *ACME) for _ in here_and_beside(monkeypatch)]
    assert few["statement"] == await window.json(STATEMENT, *ACME)
    assert sum(day["amount_halalas"] for day in few["days"]) == few["statement"]["net_halalas"]
    assert sum(share["partner_halalas"] for share in few["shares"]) == few["statement"]["partner_base_halalas"]
    assert many == few | {"days": None}


async def test_what_cannot_be_calculated_is_refused_and_what_was_changed_is_named(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior = f"{STATEMENT}/explained/prior_period_halalas"
    assert (await window.json(prior))["ok"]
    await window.connection.execute(
        "UPDATE revenue.period SET prior_period_halalas = 7 WHERE partnership_id = 'PPP-HEALTH' AND period = '2005-01'"
    )
    for place in here_and_beside(monkeypatch):
        for terms in FAULTY:
            answer = await window.get(f"{OWN}/what-if?terms={quote(terms)}", *ACME)
            assert answer.status_code == 422, (place, answer.text)
            assert answer.json()["errors"][0]["parameter"] == "terms"
        for path in ("working", "explained/net_halalas"):
            answer = await window.get(f"{OWN}/statements/2005-03/{path}", *ACME)
            assert answer.status_code == 404, (place, path, "not closed")
        found = await window.json(prior)
        assert not found["ok"], place
        assert (found["figures"], found["total"]) == ({"prior_period_halalas": 7}, {"prior_period_halalas": 0}), place

    await change(window.connection, b'"amount_halalas":5000', b'"amount_halalas":9000')
    for place in here_and_beside(monkeypatch):
        for path in CALCULATED:
            answer = await window.get(path)
            assert answer.status_code == 500, (place, path, answer.text)
            (error,) = answer.json()["errors"]
            assert (error["code"], error["id"].isdigit()) == ("changed-entry", True), (place, path)


async def test_periods_accounts_and_transfers_are_those_of_the_statements_and_of_what_priced_them(
    window: Window,
) -> None:
    ledger = window.connection
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

    accounts = await window.json(f"{OWN}/accounts", *ACME)
    assert sum(row["balance_halalas"] for row in accounts) == 0
    for row in accounts:
        pages = await window.pages(f"{OWN}/accounts/{row['kind']}/transfers", 1, *ACME)
        transfers = [transfer for page in pages for transfer in page]
        assert len(transfers) == row["transfers_count"]
        signed = (t["amount_halalas"] * (1 if t["debit"] == row["account"] else -1) for t in transfers)
        assert sum(signed) == row["balance_halalas"]
    assert (await window.get(f"{OWN}/accounts/no-such/transfers", *ACME)).status_code == 422

    found = (await window.json(f"{OWN}/transfers?limit=1000", *ACME))["transfers"]
    priced = {
        row["first_index"]: (row["contract_version"], row["window_number"])
        for row in await ledger.fetch("SELECT * FROM revenue.receipt WHERE partnership_id = 'PPP-HEALTH'")
    }
    assert {row["index"]: (row["contract_version"], row["window"]) for row in found if row["rule"] == "R8"} == priced
    assert {row["kind"] for row in found if row["rule"] == "R8"} <= {"receipt-partner", "receipt-treasury"}
    assert len(found) > 1
    one_by_one = await window.pages(f"{OWN}/transfers", 1, *ACME)
    assert [row for page in one_by_one for row in page["transfers"]] == found

    async with ledger.transaction():
        await ledger.execute("SET LOCAL search_path = revenue")
        await ledger.execute(
            "INSERT INTO expected SELECT 'PPP-HEALTH', 0, '2005-0' || month, 100, 0 FROM generate_series(1, 9) AS month"
        )
        await ledger.execute("UPDATE contract SET last_period = '2005-04' WHERE partnership_id = 'PPP-HEALTH'")
        terminated = await expected_and_actual(ledger, "PPP-HEALTH")
    assert [row.period for row in terminated] == [f"2005-0{month}" for month in range(1, 5)]
