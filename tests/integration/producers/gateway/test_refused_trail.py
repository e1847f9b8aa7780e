"""What the gateway refuses a known sender (403) is in the trail, by the pattern of its route, and not without end."""

from __future__ import annotations

from infra.postgres.trail import trail_rows
from tests.world.events import encoded
from tests.world.senders import GatewayHarness, event


async def refused(harness: GatewayHarness) -> list[tuple[str | None, str]]:
    rows = [row async for row in trail_rows(harness.connection)]
    return [(row["operator"], row["command"]) for row in rows if row["command"].startswith("refused")]


async def test_what_a_sender_is_refused_is_in_the_trail(harness: GatewayHarness) -> None:
    partner = await harness.another("partner", "ACME")
    assert (await harness.client.get("/v1/teams", headers=partner)).status_code == 403
    assert (await harness.client.get("/v1/teams/typed-by-somebody/contacts", headers=partner)).status_code == 403
    assert (await harness.client.get("/v1/teams", headers={"authorization": ""})).status_code == 401
    assert (await harness.send(encoded(event(1)))).status_code == 202
    assert await refused(harness) == [
        ("partner/ACME", "refused GET /v1/teams"),
        ("partner/ACME", "refused GET /v1/teams/{team}/contacts"),
    ]


async def test_the_events_of_a_suspended_agency_are_refused_on_record(harness: GatewayHarness) -> None:
    await harness.connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")
    assert (await harness.send(encoded(event(1)))).status_code == 403
    assert await refused(harness) == [("agency/health", "refused POST /v1/events")]


async def test_one_holder_writes_few_rows_with_all_its_tokens(harness: GatewayHarness) -> None:
    for _ in range(2):
        partner = await harness.another("partner", "ACME")
        for _ in range(15):
            assert (await harness.client.get("/v1/teams", headers=partner)).status_code == 403
    assert 20 <= len(await refused(harness)) < 25
    other = await harness.another("partner", "GLOBEX")
    await harness.client.get("/v1/teams", headers=other)
    assert (await refused(harness))[-1][0] == "partner/GLOBEX"
