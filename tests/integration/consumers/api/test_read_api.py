"""The read API: who sees what, page by page, by log index, now and as of an index; the same as the commands say."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from pathlib import Path

import jsonschema_rs
import pytest
import pytest_asyncio

import infra.postgres.connection
from events.errors import YesserError
from infra.http import routes
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.every import every
from tests.integration.consumers.api.read_api import (
    CALLERS,
    CHECKPOINT,
    CONSUMERS,
    Window,
    closed,
    read_window,
    window_on,
)
from tests.integration.consumers.api.read_story import STRANGER_RECEIPTS
from tests.integration.consumers.replay.pipeline.frozen_line import line_to_postgres
from tests.oracle.fold import fold
from tests.oracle.history import MIXED, entries_from, generate
from tests.oracle.log import EntryDict
from tests.paths import ROOT
from tests.stack import TestStack
from tests.world.commands import Yesser
from tests.world.logs import apply_live, raw_entries
from tests.world.waits import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERYBODY = dict.fromkeys(CALLERS, 200)
PROGRAMME = EVERYBODY | {"treasury": 403, "acme": 403, "nobody": 403}
LOG = EVERYBODY | {"treasury": 403}
OF_HEALTH = EVERYBODY | {"labour": 404, "nobody": 404}
NOT_SIGNED = dict.fromkeys(CALLERS, 503) | {"labour": 404, "nobody": 404}
"""By no key that this machine knows."""
ACCESS: dict[str, dict[str, int]] = {
    "/v1/plan": PROGRAMME,
    "/v1/pace": PROGRAMME,
    "/v1/services": PROGRAMME,
    "/v1/services/{service_id}": PROGRAMME,
    "/v1/projects": PROGRAMME,
    "/v1/projects/{project_id}": PROGRAMME,
    "/v1/campaigns": PROGRAMME,
    "/v1/campaigns/{campaign_id}": PROGRAMME,
    "/v1/inbox": PROGRAMME | {"labour": 403},
    "/v1/campaigns/{campaign_id}/explanation": PROGRAMME | {"labour": 404},
    "/v1/inbox/counts": PROGRAMME | {"labour": 403},
    "/v1/coverage": PROGRAMME,
    "/v1/partnerships": EVERYBODY,
    "/v1/partnerships/{partnership_id}": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/statements": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/statements/{period}": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/transfers": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/statements/{period}/working": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/statements/{period}/proof": NOT_SIGNED,
    "/v1/partnerships/{partnership_id}/statements/{period}/explained/{field}": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/periods": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/accounts": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/accounts/{kind}/transfers": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/forecast": OF_HEALTH,
    "/v1/partnerships/{partnership_id}/what-if": OF_HEALTH,
    "/v1/open-periods": EVERYBODY,
    "/v1/balances": EVERYBODY,
    "/v1/anomalies": LOG,
    "/v1/activity": PROGRAMME,
    "/v1/names": PROGRAMME,
    "/v1/entries": LOG,
    "/v1/refusals": PROGRAMME,
    "/v1/refusals/{index}": PROGRAMME | {"labour": 404},
    "/v1/proofs/{index}": OF_HEALTH,
    "/v1/log": EVERYBODY,
    "/v1/consistency/{old_size}/{new_size}": EVERYBODY,
    "/v1/commitments": dict.fromkeys(CALLERS, 403) | {"office": 200, "auditor": 200},
    "/v1/completeness/months": PROGRAMME,
    "/v1/explain/{model}/{key}": OF_HEALTH,
}
"""Route → the status for each caller."""
EXAMPLES = {
    "service_id": "SVC-health",
    "project_id": "PRJ-health",
    "campaign_id": "CAMPAIGN",
    "partnership_id": "PPP-HEALTH",
    "period": "2005-01",
    "field": "partner_base_halalas",
    "kind": "partner-payable",
    "old_size": "1",
    "new_size": "2",
    "model": "partnerships",
    "key": "PPP-HEALTH/net_halalas",
    "index": "1",
}
WRITTEN = re.compile(r'@(?:read_route\(\s*\w+,|routes\.get\()\s*"(/v1/[^"]+)"')
assert not (new := set(re.findall(r"{(\w+)}", " ".join(ACCESS))) - EXAMPLES.keys()), f"add {new} to EXAMPLES"
ADDRESSES = {path: path.format_map(EXAMPLES) for path in ACCESS} | {
    "/v1/inbox": "/v1/inbox?agency=health",
    "/v1/names": "/v1/names?codes=agency/health,service/SVC-health,project/PRJ-none",
    "/v1/inbox/counts": "/v1/inbox/counts?agency=health&state=any",
    "/v1/partnerships/{partnership_id}/what-if": "/v1/partnerships/PPP-HEALTH/what-if?terms={}",
    "/v1/proofs/{index}": "/v1/proofs/SIGNED",
}
"""Route → an address of it."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OTHER = defaultdict(lambda: "application/json", {"application/json": "text/html"})

READ_TAGS = {"programme", "revenue share", "log"}
REFUSED = """INSERT INTO log.refusal (index, agency, address, claimed_id, errors)
VALUES (1, 'health', 'agency.health.events/0/1', 'refused-1',
    '[{"code": "not-json", "pointer": "", "detail": "No."}]')"""


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def signed(window: Window, told: list[EntryDict]) -> None:
    """A checkpoint covers the log, in which a record was refused."""
    await window.connection.execute(CHECKPOINT, len(told))
    await window.connection.execute(REFUSED)


def signed_index(told: list[EntryDict]) -> int:
    """Where PPP-HEALTH was signed by its owner."""
    return next(
        entry["index"]
        for entry in told
        if entry["event"]["subject"] == "partnership/PPP-HEALTH" and "partner" in entry["event"]["data"]
    )


def campaign_id(told: list[EntryDict]) -> str:
    """A campaign of health's."""
    data = (entry["event"]["data"] for entry in told if "campaign.triggered" in entry["event"]["type"])
    return next(str(row["campaign_id"]) for row in data if row["owner"] == "health")


async def test_every_route_answers_each_caller_as_table_and_document_say(window: Window, told: list[EntryDict]) -> None:
    paths = (await window.json("/openapi.json"))["paths"]
    read = {path for path, operations in paths.items() if READ_TAGS & set(operations.get("get", {}).get("tags", []))}
    assert read == set(ACCESS), "say in ACCESS who may call it"
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "consumers").rglob("*.py")]
    unloaded = {path.replace(":path", "") for text in sources for path in WRITTEN.findall(text)} - paths.keys()
    assert not unloaded, f"no router in `_ROUTES` (consumers/api/routes.py) or of an entry point has {unloaded}"
    page = (ROOT / "docs/gateway.md").read_text(encoding="utf-8")
    section = page[page.index("## Reading") : page.index("## Tokens")]
    missing = [path for path in ACCESS if f"`{path}`" not in section]
    assert not missing, f"write rows for {missing} into *Reading* of docs/gateway.md and of docs/ar/gateway.md"
    for path, statuses in ACCESS.items():
        asked = ADDRESSES[path].replace("SIGNED", str(signed_index(told))).replace("CAMPAIGN", campaign_id(told))
        for name, status in statuses.items():
            answer = await window.get(asked, *CALLERS[name])
            assert answer.status_code == status, (asked, name, answer.text)
            described = paths[path]["get"]["responses"][str(status)]["content"]
            (media_type, content), *_ = described.items()
            assert answer.headers["content-type"].partition(";")[0] == media_type
            jsonschema_rs.validator_for(closed(content["schema"])).validate(answer.json())


async def test_the_treasury_reads_money_and_its_proofs_and_no_more(window: Window, told: list[EntryDict]) -> None:
    treasury = CALLERS["treasury"]
    for path in ("/v1/partnerships", "/v1/balances"):
        assert await window.json(path, *treasury) == await window.json(path)
    of_money = {entry["index"] for entry in told if entry["event"]["subject"].startswith("partnership/")}
    await require_proofs(window, told, "treasury", of_money)


async def require_proofs(window: Window, told: list[EntryDict], caller: str, indexes: set[int]) -> None:
    """The caller gets the proofs of these entries and of no others."""
    for index in range(len(told)):
        status = (await window.get(f"/v1/proofs/{index}", *CALLERS[caller])).status_code
        assert status == (200 if index in indexes else 404), index


async def test_the_inbox_begins_with_what_is_overdue_and_counts_its_rows(window: Window, told: list[EntryDict]) -> None:
    one = campaign_id(told)
    await window.connection.execute("UPDATE campaigns.campaign SET due_on = '2100-01-01' WHERE campaign_id = $1", one)
    every = "/v1/inbox?everyone=true&state=any"
    rows = await window.json(every)
    assert {row["campaign_id"] for row in rows} == {row["campaign_id"] for row in await window.json("/v1/campaigns")}
    for sort, order in (
        ("due", lambda row: (row["due_on"], row["campaign_id"])),
        ("overdue", lambda row: (not row["overdue"], row["due_on"], row["campaign_id"])),
    ):
        paged = [row for page in await window.pages(f"{every}&sort={sort}", 2) for row in page]
        assert paged == sorted(rows, key=order), sort
    counts = await window.json("/v1/inbox/counts?everyone=true&state=any")
    assert counts["campaigns"] == len(rows)
    assert counts["overdue"] == sum(row["overdue"] for row in rows)
    for step in ("acknowledge", "air", "complete"):
        assert counts[step] == sum(row["next_action"] == step for row in rows), step
    of_health = await window.json(f"/v1/inbox?state=any&service={rows[0]['service_id'] or 'S'}", "agency", "health")
    assert all(row["owner"] == "health" for row in of_health)
    assert (await window.get(every, "agency", "health")).status_code == 403
    answer = await window.get("/v1/inbox?everyone=true&team=press")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "agency")


async def test_an_explanation_says_what_the_rules_decided(window: Window, told: list[EntryDict]) -> None:
    one = await window.json(f"/v1/campaigns/{campaign_id(told)}")
    explained = await window.json(f"/v1/campaigns/{one['campaign_id']}/explanation", "agency", "health")
    assert [(row["rule"], row["cause_index"], row["fired"]) for row in explained["evaluations"]] == [
        (one["rule"], one["cause_index"], True)
    ]
    assert f"i{one['cause_index']}" in explained["evaluations"][0]["reason"]["en"]
    for name in ("SVC-health", "no-such-rule.i1"):
        assert (await window.get(f"/v1/campaigns/{name}/explanation")).status_code == 404


STATEMENT = "/v1/partnerships/PPP-HEALTH/statements/2005-01"


@every(
    "accept, media_type, begins",
    [
        ("text/html", "text/html", b"<!doctype html>"),
        ("application/pdf, */*;q=0.1", "application/pdf", b"%PDF-"),
        ("text/csv", "text/csv", b"\xef\xbb\xbfindex,id,"),
        (XLSX, XLSX, b"PK"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet", b"PAR1"),
        ("*/*", "application/json", b'{"partnership_id"'),
        ("image/png", "application/json", b'{"partnership_id"'),
    ],
)
async def test_a_statement_comes_as_preferred(window: Window, accept: str, media_type: str, begins: bytes) -> None:
    answer = await window.get(STATEMENT, *CALLERS["acme"], accept=accept)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media_type), answer.text
    assert answer.content[: len(begins)].lower() == begins.lower()
    tag = answer.headers["etag"]
    assert (await window.get(STATEMENT, *CALLERS["acme"], accept=accept, if_none_match=tag)).status_code == 304
    other = await window.get(STATEMENT, *CALLERS["acme"], accept=OTHER[media_type], if_none_match=tag)
    assert other.status_code == 200
    assert (await window.get(STATEMENT, *CALLERS["labour"], accept=accept)).status_code == 404


@every(
    "path, column", [("campaigns", "campaign_id"), ("inbox?everyone=true", "campaign_id"), ("coverage", "service_id")]
)
async def test_a_list_is_a_file_for_who_prefers_one(window: Window, path: str, column: str) -> None:
    answer = await window.get(f"/v1/{path}", accept="text/csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.text.removeprefix("\ufeff").startswith(f"{column},")


async def test_an_agency_sees_its_own_money_and_its_own_words(window: Window, told: list[EntryDict]) -> None:
    health = CALLERS["health"]
    plan = await window.json("/v1/plan", *health)
    assert [row["partnership_id"] for row in plan["partnerships"]] == ["PPP-HEALTH"]
    assert [row["partnership_id"] for row in await window.json("/v1/partnerships", *health)] == ["PPP-HEALTH"]
    accounts = (await window.json("/v1/balances", *health))["accounts"]
    assert {row["account"].partition(":")[2] for row in accounts} == {"PPP-HEALTH"}
    assert {row["agency"] for row in await window.json("/v1/anomalies", *health)} == {"health"}
    assert [row["agency"] for row in await window.json("/v1/activity", *health)] == ["health"]
    entries = await window.json("/v1/entries?limit=1000", *health)
    own = [entry["index"] for entry in told if entry["event"]["source"].endswith(":health")]
    assert [row["index"] for row in entries] == own
    one = told[own[0]]["event"]
    (exact,) = await window.json(f"/v1/entries?id={one['id']}&type={one['type']}&subject={one['subject']}", *health)
    assert (exact["index"], exact["time"]) == (own[0], one["time"])
    for path in ("/v1/entries", "/v1/anomalies", "/v1/activity"):
        assert (await window.get(f"{path}?agency=labour", *health)).status_code == 403
        assert (await window.get(f"{path}?agency=health", *health)).status_code == 200
    for service, said in (("SVC-health", True), ("SVC-labour", False)):
        history = (await window.json(f"/v1/services/{service}", *health))["history"]
        assert [step["type"] for step in history] == ["service.registered", "service.launched", "service.suspended"]
        assert [step["data"] is not None for step in history] == [said] * 3
    cause = next(row for row in await window.json("/v1/campaigns") if row["owner"] == "labour")
    assert (await window.json(f"/v1/campaigns/{cause['campaign_id']}", *health))["airings"] is None


async def test_a_partner_sees_what_owners_said_of_its_partnerships(window: Window, told: list[EntryDict]) -> None:
    acme = CALLERS["acme"]
    assert [row["partnership_id"] for row in await window.json("/v1/partnerships", *acme)] == ["PPP-HEALTH"]
    accounts = (await window.json("/v1/balances", *acme))["accounts"]
    assert {row["account"].partition(":")[2] for row in accounts} == {"PPP-HEALTH"}
    assert [row["rule"] for row in await window.json("/v1/anomalies", *acme)] == ["already-collected"]
    seen = {row["index"] for row in await window.json("/v1/entries?limit=1000", *acme)}
    about = [entry for entry in told if entry["event"]["subject"] == "partnership/PPP-HEALTH"]
    assert seen == {entry["index"] for entry in about if entry["event"]["source"].endswith(":health")}
    receipts = {entry["event"]["data"].get("receipt_id") for entry in about if entry["index"] not in seen}
    assert receipts == {*STRANGER_RECEIPTS, None}, "the third is a contract of another agency under the same id"
    await require_proofs(window, told, "acme", seen)
    assert await window.json("/v1/entries?subject=partnership/PPP-LABOUR", *acme) == []
    assert (await window.get("/v1/entries?agency=health", *acme)).status_code == 403


async def test_a_partner_id_counts_only_with_the_agency_that_uses_it(window: Window) -> None:
    asked = TokenRequest("partner", "another", 1, partners=("labour/ACME", "yesser/ACME"))
    made = await create_token(window.connection, hash_key(window.settings), asked)
    window.tokens["partner", "another"] = made.token
    assert await window.json("/v1/partnerships", "partner", "another") == []
    assert (await window.json("/v1/balances", "partner", "another"))["accounts"] == []
    assert await window.json("/v1/entries?limit=1000", "partner", "another") == []


LISTS = ("/v1/services", "/v1/projects", "/v1/partnerships", "/v1/anomalies", "/v1/activity", "/v1/entries")


async def test_pages_give_every_row_once_also_while_the_log_grows(stack: TestStack, tmp_path: Path) -> None:
    log = entries_from(generate(21, 700, MIXED))
    async with window_on(stack, tmp_path / "home", log[:500]) as window:
        for path in LISTS:
            whole = await window.json(f"{path}?limit=1000")
            assert len(whole) > 3, path
            assert await window.rows(path, max(3, len(whole) // 9)) == whole
        first = await window.get("/v1/anomalies?limit=7")
        balances = await window.pages("/v1/balances", 4)
        assert [row for page in balances for row in page["accounts"]] == (await window.json("/v1/balances"))["accounts"]
        for consumer in CONSUMERS:
            await apply_live(window.connection, consumer, raw_entries(log))
        later = await window.rows(first.links["next"]["url"].replace("limit=7&", ""), 50)
        assert first.json() + later == await window.json("/v1/anomalies?limit=1000")
        campaigns = await window.rows("/v1/campaigns", 3)
        assert campaigns == await window.json("/v1/campaigns?limit=1000")
        assert len(campaigns) > 3
        by_due = await window.rows("/v1/campaigns?sort=due", 3)
        assert by_due == sorted(campaigns, key=lambda row: (row["due_on"], row["campaign_id"]))
        covered = [row for page in await window.pages("/v1/coverage", 3) for row in page["services"]]
        assert covered == (await window.json("/v1/coverage?limit=1000"))["services"]


async def test_statements_are_paged_in_their_order(window: Window) -> None:
    whole = await window.json("/v1/partnerships/PPP-HEALTH/statements")
    assert len(whole) > 1
    assert await window.rows("/v1/partnerships/PPP-HEALTH/statements", 1) == whole


async def test_the_plan_as_of_an_index_is_the_oracles_and_never_changes(window: Window, told: list[EntryDict]) -> None:
    for index in (0, 20):
        answer = await window.get(f"/v1/plan?as_of_index={index}")
        assert answer.json() == {**fold(told[:index]).plan, "log_index": index}
    seen = await window.json("/v1/plan?as_of_index=20", *CALLERS["health"])
    assert {row["agency"] for row in seen["partnerships"]} <= {"health"}
    for path in ("/v1/plan", "/v1/pace"):
        past = await window.get(f"{path}?as_of_index=20")
        kept = await window.get(f"{path}?as_of_index=20", if_none_match='W/"20"')
        assert (kept.status_code, kept.content) == (304, b"")
        recorded = await window.get(f"{path}?as_of_recorded={told[19]['recordedtime']}")
        assert recorded.json() == past.json()
        assert all("immutable" in answer.headers["cache-control"] for answer in (past, recorded))
        latest = await window.get(f"{path}?as_of_recorded=2077-01-01T00:00:00Z")
        assert (latest.json(), latest.headers["cache-control"]) == (await window.json(path), "private, no-cache")
        beyond = await window.get(f"{path}?as_of_index={len(told) + 1}")
        assert (beyond.status_code, beyond.json()["errors"][0]["parameter"]) == (422, "as_of_index")
        twice = await window.get(f"{path}?as_of_index=1&as_of_recorded=2026-01-01T00:00:00Z")
        assert twice.status_code == 422


@every("moment", ["", "&as_of_index=20"])
async def test_of_many_partnerships_the_plan_has_the_first_and_their_number(window: Window, moment: str) -> None:
    for caller in ((), CALLERS["health"]):
        whole = await window.json(f"/v1/plan?{moment[1:]}", *caller)
        assert "partnerships_count" not in whole
        for most in (0, 1, 1_000):
            part = await window.json(f"/v1/plan?partnerships_max={most}{moment}", *caller)
            assert part.pop("partnerships_count") == len(whole["partnerships"])
            assert part == {**whole, "partnerships": whole["partnerships"][:most]}


BAD_REQUESTS = (
    "/v1/campaigns?state=done",
    "/v1/campaigns?channel=web",
    "/v1/campaigns?due_before=2026-13-01",
    "/v1/campaigns?owner=HEALTH",
    "/v1/campaigns?sort=due&after=WyJhIl0",
    "/v1/inbox?agency=health&team=nobody",
    "/v1/services?limit=0",
    "/v1/services?limit=1001",
    "/v1/services?after=WyJhIiwiYiJd",
    "/v1/anomalies?after=WzFd",
    "/v1/entries?after=WzE4NDQ2NzQ0MDczNzA5NTUxNjE1XQ",
    "/v1/entries?subject=%00",
    "/v1/entries?id=a%00b",
    "/v1/entries?agency=HEALTH",
    "/v1/services/a%00b",
    "/v1/services/..%2F",
    "/v1/partnerships/P/statements/2005-13",
    "/v1/plan?as_of_index=-1",
    "/v1/plan?as_of_recorded=2026-02-30T00:00:00Z",
    "/v1/plan?as_of_recorded=0001-01-01T00:00:00%2B14:00",
    "/v1/plan?as_of_recorded=9999-12-31T23:59:59-14:00",
    "/v1/plan?as_of_index=9007199254740993",
    "/v1/proofs/99999999999999999999",
)
NOT_THERE = (
    *(f"/v1/{name}/NONE" for name in ("services", "projects", "campaigns", "partnerships")),
    "/v1/partnerships/PPP-HEALTH/statements/2005-11",
    "/v1/proofs/9007199254740992",
)


async def test_a_bad_parameter_is_named_and_is_never_a_fault_of_ours(window: Window) -> None:
    for address in BAD_REQUESTS:
        answer = await window.get(address)
        assert answer.status_code in (404, 422), (address, answer.status_code)
        assert answer.json()["status"] == answer.status_code
    for address in NOT_THERE:
        assert (await window.get(address)).status_code == 404, address


async def test_where_all_connections_are_taken_the_caller_is_told_to_come_back(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "CONNECTION_WAIT_S", 0.05)
    held = [await window.reads.acquire() for _ in range(window.reads.get_max_size())]
    answer = await window.get("/v1/services")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "overloaded")
    assert answer.headers["retry-after"] == "1"
    for connection in held:
        await window.reads.release(connection)
    assert (await window.get("/v1/services")).status_code == 200


async def test_a_silent_database_holds_up_nobody_for_long(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infra.postgres.connection, "ANSWER_MARGIN_S", 0.1)
    monkeypatch.setattr(routes, "CONNECTION_WAIT_S", 0.1)
    async with line_to_postgres(window.settings) as (line, over_it):
        hasty = over_it.model_copy(update={"gateway_read_timeout_ms": 200})
        async with read_window(window.settings, window.connection, hasty) as fresh:

            async def works() -> bool:
                return (await fresh.get("/v1/services")).status_code == 200

            await until(works, "it reads")
            line.freeze()
            async with asyncio.timeout(30):
                answers = await asyncio.gather(*(fresh.get("/v1/services") for _ in range(6)))
            assert {answer.status_code for answer in answers} == {503}
            line.thaw()
            await until(works, "it reads again")


SAME = {
    "/v1/plan": "plan",
    "/v1/plan?as_of_index=20": "plan --as-of-index 20",
    "/v1/plan?as_of_occurred=2005-12-31": "plan --as-of-occurred 2005-12-31",
    "/v1/services": "services list",
    "/v1/services/SVC-health": "services show SVC-health",
    "/v1/projects": "projects list",
    "/v1/projects/PRJ-health": "projects show PRJ-health",
    "/v1/campaigns": "campaigns list",
    "/v1/campaigns/CAMPAIGN": "campaigns show CAMPAIGN",
    "/v1/campaigns?owner=health&state=open&sort=due": "campaigns list --owner health --state open --sort due",
    "/v1/campaigns?rule=service-launched&channel=tv": "campaigns list --rule service-launched --channel tv",
    "/v1/campaigns?overdue=true&due_before=2077-01-01": "campaigns list --overdue --due-before 2077-01-01",
    "/v1/coverage": "campaigns coverage",
    "/v1/coverage?agency=health&unaired=true": "campaigns coverage --agency health --unaired",
    "/v1/activity": "activity",
    "/v1/activity?agency=health": "activity --agency health",
    "/v1/entries?limit=5&type=revenue.collected": "log find --limit 5 --type revenue.collected",
    "/v1/entries?subject=service/SVC-health&agency=health": "log find --subject service/SVC-health --agency health",
    "/v1/partnerships": "ledger partnerships",
    "/v1/partnerships/PPP-HEALTH/statements": "ledger statements PPP-HEALTH",
    "/v1/anomalies": "anomalies",
    "/v1/balances": "ledger balances",
    "/v1/partnerships/PPP-HEALTH/statements/2005-01": "ledger statement PPP-HEALTH 2005-01",
    "/v1/partnerships/PPP-HEALTH/transfers": "ledger transfers PPP-HEALTH",
}


async def test_the_body_is_what_the_command_prints(window: Window, told: list[EntryDict], yesser: Yesser) -> None:
    for address, words in SAME.items():
        path, *command = f"{address} {words}".replace("CAMPAIGN", campaign_id(told)).split()
        assert await yesser.document(*command) == await window.json(path), command
        if "?" not in path:
            assert "·" in await yesser.output(*command), command


async def test_a_command_for_what_is_not_there_says_where_to_look(yesser: Yesser) -> None:
    for group in ("services", "projects", "campaigns"):
        result = await yesser.run(group, "show", "NONE")
        assert isinstance(result.exception, YesserError)
        assert f"yesser {group} list" in str(result.exception)


async def test_what_has_not_changed_is_not_sent_again(window: Window, told: list[EntryDict]) -> None:
    first = await window.get("/v1/plan")
    assert (first.headers["etag"], first.headers["log-index"]) == (f'W/"{len(told)}"', str(len(told)))
    assert {first.headers["vary"], first.headers["cache-control"]} == {"Authorization, Accept", "private, no-cache"}
    again = await window.get("/v1/plan", if_none_match=f'"x", {first.headers["etag"]}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    move = "UPDATE platform.position SET position = position + 1 WHERE consumer = 'campaigns'"
    await window.connection.execute(move)
    moved = await window.get("/v1/plan", if_none_match=first.headers["etag"])
    assert (moved.status_code, moved.headers["log-index"]) == (200, str(len(told)))
    assert moved.headers["etag"] != first.headers["etag"]


async def test_a_suspended_agency_reads_nothing(window: Window) -> None:
    await window.connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")
    del window.tokens[CALLERS["health"]]  # a token that was used is not looked up again at once
    for address in ADDRESSES.values():
        answer = await window.get(address.replace("SIGNED", "1"), *CALLERS["health"])
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "suspended"), address


async def test_while_the_tables_or_the_database_are_away_it_says_so(window: Window) -> None:
    await window.connection.execute("DROP SCHEMA campaigns CASCADE")
    answer = await window.get("/v1/campaigns")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "database-away")
    away = window.settings.model_copy(update={"postgres": "postgresql://127.0.0.1:1/none"})
    async with read_window(away, window.connection) as dark:
        dark.tokens.update(window.tokens)
        answer = await dark.get("/v1/plan")
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "database-away")
