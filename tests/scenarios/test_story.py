"""`yesser demo` on the real services: the story ends where the independent model says, and is published only once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from infra.embedded.processes.signals import usual_parts
from tests.oracle.fold import fold
from tests.oracle.log import read_entry
from tests.paths import ROOT
from tests.scenarios.demo import Demo
from tests.scenarios.judge import read_log
from tests.scenarios.system import System, fresh_system
from tests.world.plan import plan_figures

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SAME_OVER_HTTP = {
    "/v1/plan": ("plan",),
    "/v1/plan?as_of_index=500": ("plan", "--as-of-index", "500"),
    "/v1/services?limit=1000": ("services", "list"),
    "/v1/services?limit=1000&agency=health&state=live": ("services", "list", "--agency", "health", "--state", "live"),
    "/v1/projects": ("projects", "list"),
    "/v1/campaigns?limit=1000": ("campaigns", "list"),
    "/v1/anomalies": ("anomalies",),
    "/v1/activity": ("activity",),
    "/v1/balances": ("ledger", "balances"),
    "/v1/partnerships/PPP-110-001/statements": ("ledger", "statements", "PPP-110-001"),
    "/v1/partnerships/PPP-110-001/transfers?limit=1000": ("ledger", "transfers", "PPP-110-001"),
    "/v1/entries?limit=1000&agency=communications": ("log", "find", "--limit", "1000", "--agency", "communications"),
}


def test_the_figures_are_those_of_the_independent_model_of_the_same_log(demo: Demo) -> None:
    """That these are the programme's facts: `tests/unit/producers/programme/test_story.py`."""
    teller, document = demo.system, demo.document
    raw = asyncio.run(read_log(teller.settings))[: document["plan"]["log_index"]]
    figures = fold(read_entry(index, entry) for index, entry in enumerate(raw))
    assert document["plan"] == figures.plan
    assert teller.ask("campaigns", "list") == figures.campaigns
    assert {row["account"]: row for row in document["ledger"]["accounts"]} == {
        account: {"account": account, **row} for account, row in figures.balances.items()
    }
    under_way = [row for row in document["campaigns"] if row["state"] != "completed"]
    assert sorted((row["state"], row["escalated"], row["aired"]["tv"]) for row in under_way) == [
        ("acknowledged", True, 1),
        ("triggered", False, 0),
        ("triggered", True, 0),
    ]
    assert (document["plan"]["anomalies"], document["plan"]["refusals"]) == (1, 1)
    awareness = document["plan"]["awareness"]
    assert awareness["on_all_three"] == awareness["launched_services"] == 100


def test_everything_verifies(demo: Demo) -> None:
    proofs = demo.document["verification"]
    assert proofs["ok"]
    assert proofs["tree"]["ok"]
    assert proofs["rebuild"]["ok"]
    assert all(row["ok"] and len(row["sha256"]) == 64 for row in proofs["rebuild"]["read_models"])
    assert proofs["ledger"] == {"sum_halalas": 0, "ok": True}
    assert demo.document["seconds"] > 0


def test_every_figure_is_explained_by_its_entries_inside_and_outside(demo: Demo, tmp_path: Path) -> None:
    teller, document = demo.system, demo.document
    mirror = tmp_path / "mirror"
    teller.ask("audit", "mirror", str(mirror))
    vkey = teller.ask("audit", "vkey")["vkey"]
    size = str(document["plan"]["log_index"])
    outside = ("--from", str(mirror), "--vkey", vkey, "--state", str(tmp_path / "state"), "--as-of-index", size)
    for key, figures in plan_figures(document["plan"]).items():
        answer = teller.ask("audit", "explain", "plan", key, "--as-of-index", size)
        assert answer["figures"] == figures, key
        assert teller.ask("audit", "explain", "plan", key, *outside) == answer
    account = document["ledger"]["accounts"][0]
    answer = teller.ask("ledger", "explain", account["account"])
    assert answer["figures"]["balance_halalas"] == account["balance_halalas"]
    formulas = teller.ask("ledger", "explain", "PPP-110-001", "1426-07")["fields"]
    statement = teller.ask("ledger", "statement", "PPP-110-001", "1426-07")
    assert all(row["value"] == statement[row["field"]] for row in formulas)
    stored = teller.ask("audit", "completeness", "--agency", "communications")
    del stored["read_but_not_in_log"]
    derived = teller.ask("audit", "completeness", str(mirror), *outside[2:6], "--agency", "communications")
    assert derived["rows"] == stored["rows"]


def test_over_http_a_system_reads_what_the_commands_print_and_a_partner_its_own(demo: Demo) -> None:
    teller, document = demo.system, demo.document
    with as_caller(teller, "auditor", "court-of-audit") as client:
        for address, command in SAME_OVER_HTTP.items():
            assert client.get(address).json() == teller.ask(*command), address
        partnerships = client.get("/v1/partnerships").json()
    first = partnerships[0]
    partner_id = first["partner"]["partner_id"]
    agency = first["agency"]
    with as_caller(teller, "partner", partner_id, "--partner", f"{agency}/{partner_id}") as client:
        own = client.get("/v1/partnerships").json()
        named = (agency, partner_id)
        assert own == [row for row in partnerships if (row["agency"], row["partner"]["partner_id"]) == named]
        accounts = client.get("/v1/balances").json()["accounts"]
        ids = {row["partnership_id"] for row in own}
        assert accounts == [row for row in document["ledger"]["accounts"] if row["account"].partition(":")[2] in ids]
        entry = client.get("/v1/entries?type=partnership.signed").json()[0]
        assert client.get(entry["proof"]).json()["index"] == entry["index"] == first["first_index"]
        assert client.get("/v1/plan").status_code == 403
        assert client.get("/v1/proofs/0").status_code == 404


def as_caller(teller: System, kind: str, holder: str, *options: str) -> httpx.Client:
    """A client with a token of its own."""
    token = teller.ask("tokens", "create", holder, "--kind", kind, *options)["token"]
    address = f"http://127.0.0.1:{teller.parts()['gateway']['port']}"
    return httpx.Client(
        base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=60, trust_env=False, verify=False
    )


@pytest.mark.accept
def test_run_again_it_adds_nothing_and_answers_only_its_own_campaigns(tmp_path: Path) -> None:
    """The launch came before the demo and waited for its registration: the campaign comes between the two runs, and its
    cause stands before all others."""
    registered, launched = tmp_path / "registered.ndjson", tmp_path / "launched.ndjson"
    for file, line in zip(
        (registered, launched), (ROOT / "docs" / "first-events.ndjson").read_bytes().splitlines(True), strict=True
    ):
        file.write_bytes(line)
    with fresh_system(only=usual_parts(), in_memory=True) as system:
        system.add_agencies([("another", "agency")])
        assert system.run("publish", str(launched), "--agency", "another", "--wait")["accepted"] == 1
        first = system.run("demo")
        assert system.run("publish", str(registered), "--agency", "another", "--wait")["accepted"] == 1
        again = system.run("demo")
    assert again["verification"]["ok"]
    assert again["plan"]["log_index"] == first["plan"]["log_index"] + 2, "the registration and its campaign"
    differing = {name for name, figures in again["plan"].items() if figures != first["plan"][name]}
    assert differing == {"log_index", "services", "awareness"}
    (other,) = (row for row in again["campaigns"] if row["owner"] == "another")
    assert all(other["cause_index"] < row["cause_index"] for row in first["campaigns"])
    assert (other["state"], other["aired"], other["reach"]) == ("triggered", {"tv": 0, "radio": 0, "print": 0}, 0)
    assert [row for row in again["campaigns"] if row["owner"] != "another"] == first["campaigns"]
    assert again["ledger"]["accounts"] == first["ledger"]["accounts"]
