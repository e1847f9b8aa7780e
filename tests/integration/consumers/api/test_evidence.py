"""What the read API tells about a figure and about the log: who made it, who may know, and what was changed since."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest

from consumers.explain.over_http import routes as answers
from events.validation.verdicts import HASH_BYTES
from infra.log.merkle import TileTree, leaf_hash
from infra.log.proofs import verify_consistency
from tests.every import every
from tests.integration.consumers.api.read_api import CALLERS, CHECKPOINT, Window, change
from tests.integration.consumers.api.read_story import story
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.entries import EventLog
from tests.world.events import golden_event
from tests.world.logs import raw_entries

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSED = golden_event("registrar.refused")["data"]
FROM_HERE = (answers.ENTRIES_HERE_MAX, 0)
"""Up to so many entries are explained in this process, others by one beside."""
NET = "/v1/explain/statements/PPP-HEALTH/2005-01/net_halalas"


@pytest.fixture(scope="module")
def told() -> list[EntryDict]:
    """The story, and after it a refused record of each agency."""
    line = EventLog(story())
    for code, offset in (("health", 17), ("labour", 4), ("health", 18)):
        line.tell("platform", "registrar.refused", **REFUSED | {"address": f"agency.{code}.events/0/{offset}"})
    return line.log


def receipts(told: list[EntryDict]) -> list[int]:
    """Where the receipts of PPP-HEALTH that count stand: of its owner, each once."""
    seen: dict[str, int] = {}
    for entry in told:
        event = entry["event"]
        is_receipt = event["subject"] == "partnership/PPP-HEALTH" and "revenue.collected" in event["type"]
        if is_receipt and event["source"].endswith(":health"):
            seen.setdefault(event["data"]["receipt_id"], entry["index"])
    return sorted(seen.values())


async def test_a_statement_is_the_sum_of_its_receipts_for_everybody_who_may_read_it(
    window: Window, told: list[EntryDict]
) -> None:
    for name in ("office", "auditor", "treasury", "health", "acme"):
        document = await window.json(NET, *CALLERS[name])
        assert document["ok"], name
        assert [step["index"] for step in document["steps"]] == receipts(told)[: len(document["steps"])]
        assert document["figures"]["net_halalas"] == 5000 * len(document["steps"]) > 0
        assert all(step["data"] is not None for step in document["steps"]), "money is shown whole"
    for name in ("labour", "nobody"):
        assert (await window.get(NET, *CALLERS[name])).status_code == 404


@every(
    "path, statuses",
    [
        ("plan/services/1/registered", {"office": 200, "health": 200, "treasury": 404, "acme": 404}),
        ("plan/partnerships/PPP-HEALTH/net_halalas", {"health": 200, "labour": 404, "acme": 200, "treasury": 200}),
        ("plan/anomalies/count", {"auditor": 200, "health": 404, "acme": 404}),
        ("services/SVC-health/state", {"health": 200, "labour": 200, "acme": 404}),
        ("activity/health/service.launched", {"health": 200, "labour": 404, "office": 200}),
        ("accounts/COLLECTIONS:PPP-HEALTH", {"labour": 404, "nobody": 404}),
        ("projections.service/SVC-health", {"office": 200, "health": 404}),
        ("plan/no-such-key", {"office": 404, "health": 404}),
        ("plan/services/1/no_such_field", {"office": 404}),
        ("no-such-model/key", {"office": 404}),
        ("services/%00", {"office": 404}),
        ("services/NOT-THERE", {"office": 404, "health": 404}),
    ],
)
async def test_a_figure_is_explained_to_those_who_may_read_it(
    window: Window, path: str, statuses: dict[str, int]
) -> None:
    for name, status in statuses.items():
        answer = await window.get(f"/v1/explain/{path}", *CALLERS[name])
        assert answer.status_code == status, (path, name, answer.text)


async def test_of_another_agencys_entry_an_agency_sees_no_data(window: Window) -> None:
    steps = (await window.json("/v1/explain/services/SVC-health", *CALLERS["labour"]))["steps"]
    assert steps
    assert {(step["agency"], step["data"], step["id"]) for step in steps} == {("health", None, None)}
    own = (await window.json("/v1/explain/services/SVC-health", *CALLERS["health"]))["steps"]
    assert all(step["data"] for step in own)


async def test_a_long_explanation_is_paged_from_its_end(window: Window) -> None:
    path = "/v1/explain/services/SVC-health"
    whole = (await window.json(path))["steps"]
    assert len(whole) > 1
    pages = await window.pages(path, 1)
    assert [page["steps"][0] for page in reversed(pages)] == whole
    assert pages[0]["earlier"]["count"] == len(whole) - 1
    plan = await window.get("/v1/plan")
    assert (await window.get(path, if_none_match=plan.headers["etag"])).json()["steps"] == whole, "it has no tag"


async def test_entries_are_found_by_recorded_time_the_newest_first(window: Window, told: list[EntryDict]) -> None:
    indexes = [entry["index"] for entry in told]
    assert [row["index"] for row in await window.rows("/v1/entries?newest_first=true", 7)] == indexes[::-1]
    first, last = told[3]["recordedtime"], told[8]["recordedtime"]
    rows = await window.json(f"/v1/entries?recorded_from={first}&recorded_to={last}&limit=1000")
    expected = [entry["index"] for entry in told if first <= entry["recordedtime"] <= last]
    assert [row["index"] for row in rows] == expected
    assert (await window.get("/v1/entries?recorded_from=yesterday")).status_code == 422


async def test_an_agency_finds_its_own_refusals(window: Window, told: list[EntryDict]) -> None:
    def of(agency: str) -> list[int]:
        begin = f"refusal/agency.{agency}.events/"
        return [entry["index"] for entry in told if entry["event"]["subject"].startswith(begin)]

    every = [entry["index"] for entry in told if "registrar.refused" in entry["event"]["type"]]
    path = "/v1/entries?type=registrar.refused&limit=1000"
    assert [row["index"] for row in await window.json(path)] == every
    for agency in ("health", "labour"):
        assert [row["index"] for row in await window.json(path, *CALLERS[agency])] == of(agency)
        assert [row["index"] for row in await window.json(f"{path}&agency={agency}")] == of(agency)
    assert of("health"), "the story has a refusal of health"


async def test_the_log_says_its_size_and_proves_that_it_only_grew(window: Window, told: list[EntryDict]) -> None:
    assert (await window.json("/v1/log"))["checkpoint"] is None
    await window.connection.execute(CHECKPOINT, len(told))
    log = await window.json("/v1/log", *CALLERS["acme"])
    assert (log["size"], log["checkpoint"]["size"], log["cosigned"]) == (len(told), len(told), None)
    leaves = [leaf_hash(raw) for raw in raw_entries(told)]

    def root(size: int) -> bytes:
        tree = TileTree()
        tree.append(leaves[:size])
        return tree.root()

    for old, new in ((1, len(told)), (5, 8), (8, 8)):
        document = await window.json(f"/v1/consistency/{old}/{new}")
        path = [base64.b64decode(step) for step in document["path"]]
        assert verify_consistency(old, root(old), new, root(new), path)
    for old, new in ((0, 5), (8, 5), (1, len(told) + 1)):
        assert (await window.get(f"/v1/consistency/{old}/{new}")).status_code == 404


async def test_an_anomaly_is_found_by_its_entry(window: Window) -> None:
    every: list[dict[str, Any]] = await window.json("/v1/anomalies?limit=1000")
    assert every
    for row in every:
        assert row in await window.json(f"/v1/anomalies?index={row['index']}")
    assert await window.json("/v1/anomalies?index=0") == []


async def test_the_numbers_of_a_month_are_counted_by_agency(window: Window) -> None:
    read = "INSERT INTO log.sequence_state (agency, seen, accepted, repeated, highest) VALUES ($1, $2, $2, '{}', $3)"
    kept = "INSERT INTO log.sequence_month VALUES ($1, $2, $3)"
    await window.connection.execute(
        read.replace("$2", "'{[1,4),[6,9)}'::nummultirange").replace("$3", "$2"), "health", 8
    )
    await window.connection.execute(kept, "health", "2026-10", 3)
    await window.connection.execute(kept, "health", "2026-11", 8)
    path = "/v1/completeness/months"
    newest = await window.json(path)
    assert (newest["month"], newest["months"]) == ("2026-11", ["2026-11", "2026-10"])
    rows = {row["agency"]: row for row in newest["agencies"]}
    assert rows["health"] == {"agency": "health", "status": "incomplete", "first": 4, "last": 8, "missing_count": 2}
    assert rows["labour"]["status"] == "no-numbers-sent"
    (own,) = (await window.json(f"{path}?month=2026-10", *CALLERS["health"]))["agencies"]
    assert own == {"agency": "health", "status": "complete", "first": 1, "last": 3, "missing_count": 0}
    assert (await window.get(f"{path}?agency=labour", *CALLERS["health"])).status_code == 403
    await window.connection.execute(kept, "health", "2026-12", 5)
    late, *_ = (await window.json(f"{path}?month=2026-12", *CALLERS["health"]))["agencies"]
    none = {"first": None, "last": None, "missing_count": None}
    assert late == {"agency": "health", "status": "only-earlier-numbers", **none}
    await window.connection.execute("UPDATE log.sequence_state SET overflowed_index = 40")
    (unknown,) = (await window.json(f"{path}?month=2026-11", *CALLERS["health"]))["agencies"]
    assert (unknown["status"], unknown["missing_count"]) == ("not-known", None)


AIRINGS = 2_049
REACH = AIRINGS * (2**53 - 1)
AIRED = """INSERT INTO campaigns.airing (campaign_id, airing_id, index, channel, outlet, aired_on, reach)
SELECT c.campaign_id, 'AIRING-' || n, 1, 'tv', '{"ar": "قناة", "en": "Channel"}', '2005-06-01', 9007199254740991
FROM (SELECT min(campaign_id) AS campaign_id FROM campaigns.campaign WHERE kind = 'specific') AS c,
    generate_series(1, $1::int) AS n RETURNING campaign_id"""
LAST = 10**20 - 1
READ = """INSERT INTO log.sequence_state (agency, seen, accepted, repeated, highest)
VALUES ('labour', nummultirange(numrange($1::numeric, $1::numeric + 1)), '{}', '{}', $1::numeric)"""


async def test_sums_and_sequence_numbers_beyond_64_bits_are_exact_everywhere(window: Window, yesser: Yesser) -> None:
    before = (await window.json("/v1/plan"))["awareness"]["reach"]
    campaign_id = await window.connection.fetchval(AIRED, AIRINGS)
    figures: dict[str, Any] = {
        "/v1/plan": lambda document: document["awareness"]["reach"] - before,
        f"/v1/campaigns/{campaign_id}": lambda document: document["reach"],
        "/v1/campaigns": lambda rows: max(row["reach"] for row in rows),
        "/v1/coverage": lambda document: max(row["reach"] for row in document["services"]),
    }
    for path, figure in figures.items():
        assert REACH <= figure(await window.json(path)) < REACH + 2**53, path
    assert (await yesser.document("plan"))["awareness"]["reach"] == before + REACH

    await window.connection.execute(READ, LAST)
    await window.connection.execute("INSERT INTO log.sequence_month VALUES ('labour', '2026-11', $1)", LAST)
    (month,) = (await window.json("/v1/completeness/months?month=2026-11&agency=labour"))["agencies"]
    assert (month["status"], month["last"], month["missing_count"]) == ("incomplete", str(LAST), str(LAST - 1))
    own = await window.json("/v1/completeness", *CALLERS["labour"])
    assert (own["highest"], own["missing"], own["missing_count"]) == (str(LAST), [[1, str(LAST - 1)]], str(LAST - 1))


REFUSALS = (
    (3, "health", "open"),
    (4, "health", "corrected"),
    (5, "health", "taken"),
    (6, "health", "sent-again"),
    (7, "health", None),
    (8, "labour", "corrected"),
)
"""Of health one that is open, one corrected under its id, one whose id was taken before, one sent again, one without
an id; of labour one with an id that health used."""
ACCEPTED = (("corrected", 9), ("taken", 2), ("a-new-id", 10))
REFUSE = """INSERT INTO log.refusal (index, agency, address, claimed_id, claimed_type, errors)
VALUES ($1, $2, $3, $4, NULL, '[{"code": "not-json", "pointer": "", "detail": "This is not a JSON object."}]')"""
IDENTITY = b"i" * 16
ACCEPT = "INSERT INTO log.event_id (claim, identity, index) VALUES ($1, $2, $3)"
REDRIVE = "INSERT INTO platform.redrive (refusal_index, claim, identity, event_id) VALUES (6, $1, $2, 'a-new-id')"


def claim(id_: str) -> bytes:
    return sha256(f"urn:yesser:agency:health\0{id_}".encode()).digest()[:HASH_BYTES]


async def test_each_refusal_names_the_entry_that_corrected_it_to_its_agency_and_the_office(window: Window) -> None:
    for index, agency, id_ in REFUSALS:
        await window.connection.execute(REFUSE, index, agency, f"agency.{agency}.events/0/{index}", id_)
    for id_, index in ACCEPTED:
        await window.connection.execute(ACCEPT, claim(id_), IDENTITY, index)
    await window.connection.execute(REDRIVE, claim("a-new-id"), IDENTITY)
    health, labour = CALLERS["health"], CALLERS["labour"]

    async def indexes(query: str = "", caller: str = "office") -> list[int]:
        return [row["index"] for row in await window.json(f"/v1/refusals{query}", *CALLERS[caller])]

    found = await window.json("/v1/refusals", *health)
    assert {row["index"]: row["accepted_index"] for row in found} == {7: None, 6: 10, 5: None, 4: 9, 3: None}
    assert found[0]["errors"] == [{"code": "not-json", "pointer": "", "detail": "This is not a JSON object."}]
    assert await indexes("?open=true", "health") == [7, 5, 3]
    one = await window.json("/v1/refusals/4", *health)
    assert (one["accepted_index"], one["proof"]) == (9, "/v1/proofs/4")
    assert await indexes(caller="labour") == await indexes("?agency=labour") == [8]
    assert await indexes() == [8, 7, 6, 5, 4, 3]
    assert (await window.get("/v1/refusals?agency=health", *labour)).status_code == 403
    assert (await window.get("/v1/refusals/4", *labour)).status_code == 404
    assert (await window.get("/v1/refusals/2", *health)).status_code == 404, "an entry that is no refusal"
    pages = await window.pages("/v1/refusals?agency=health", 2)
    assert [[row["index"] for row in page] for page in pages] == [[7, 6], [5, 4], [3]]


async def test_many_entries_are_explained_by_a_process_beside_and_a_changed_one_is_named(
    window: Window, told: list[EntryDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[Any] = []
    errors: list[Any] = []
    for entries_max in FROM_HERE:
        monkeypatch.setattr(answers, "ENTRIES_HERE_MAX", entries_max)
        explained.append(await window.json(NET))
        assert (await window.get("/v1/explain/services/NOT-THERE")).status_code == 404
    assert explained[0] == explained[1]
    await change(window.connection, b'"amount_halalas":5000', b'"amount_halalas":9000')
    for entries_max in FROM_HERE:
        monkeypatch.setattr(answers, "ENTRIES_HERE_MAX", entries_max)
        answer = await window.get(NET)
        assert answer.status_code == 500
        errors += answer.json()["errors"]
    assert [error["code"] for error in errors] == ["changed-entry"] * 2
    assert all(int(error["id"]) <= receipts(told)[0] for error in errors)
    await change(window.connection, b'"amount_halalas":9000', b'"amount_halalas":5000')


async def test_a_trace_is_folded_once_and_compared_with_the_tables_and_the_log_each_time(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/v1/explain/accounts/collections:PPP-HEALTH/balance_halalas"
    first = await window.json(path)
    monkeypatch.setattr(answers, "traced", None)
    assert await window.json(path) == first
    await window.connection.execute("UPDATE revenue.account SET debits_halalas = debits_halalas + 1")
    wrong = await window.json(path)
    assert not wrong["ok"]
    assert wrong["figures"]["balance_halalas"] == first["figures"]["balance_halalas"] + 1
    assert wrong["total"] == first["total"]
    await change(window.connection, b'"amount_halalas":5000', b'"amount_halalas":9000')
    assert (await window.get(path)).status_code == 500


async def test_a_changed_entry_is_evidence_for_those_who_may_read_every_entry_and_named_to_others(
    window: Window, told: list[EntryDict]
) -> None:
    await window.connection.execute(f"{CHECKPOINT} ON CONFLICT DO NOTHING", len(told))
    await change(window.connection, b'"amount_halalas":5000', b'"amount_halalas":9000')
    path = f"/v1/proofs/{receipts(told)[0]}"
    for name in ("office", "auditor"):
        proof = await window.json(path, *CALLERS[name])
        assert b"9000" in proof["entry"].encode()
        assert leaf_hash(proof["entry"].encode()) != base64.b64decode(proof["leaf"])
    for name in ("health", "acme"):
        answer = await window.get(path, *CALLERS[name])
        assert answer.status_code == 500
        assert [error["code"] for error in answer.json()["errors"]] == ["changed-entry"]
