"""What the gateway refuses a known sender (403) is in the trail, by the pattern of its route, and not without end."""

from __future__ import annotations

from infra.postgres.trail import trail_rows
from tests.world.events import encoded
from tests.world.senders import GatewayHarness, event
from tests.world.waits import until


async def refused(harness: GatewayHarness) -> list[tuple[str | None, str]]:
    rows = [row async for row in trail_rows(harness.connection)]
    return [(row["operator"], row["command"]) for row in rows if row["command"].startswith("refused")]


async def test_what_a_sender_is_refused_is_in_the_trail_in_few_rows(harness: GatewayHarness) -> None:
    partner = await harness.another("partner", "ACME")
    assert (await harness.client.get("/v1/teams", headers=partner)).status_code == 403
    assert (await harness.client.get("/v1/teams/typed-by-somebody/contacts", headers=partner)).status_code == 403
    assert (await harness.client.get("/v1/teams", headers={"authorization": ""})).status_code == 401
    assert (await harness.send(encoded(event(1)))).status_code == 202
    await harness.connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")

    async def is_suspended() -> bool:
        return (await harness.send(encoded(event(1)))).status_code == 403

    await until(is_suspended, "the agency is suspended")
    assert await refused(harness) == [
        ("partner/ACME", "refused GET /v1/teams"),
        ("partner/ACME", "refused GET /v1/teams/{team}/contacts"),
        ("agency/health", "refused POST /v1/events"),
    ]
    for headers in (partner, await harness.another("partner", "ACME")):
        for _ in range(15):
            assert (await harness.client.get("/v1/teams", headers=headers)).status_code == 403
    written = [holder for holder, _ in await refused(harness)].count("partner/ACME")
    assert 20 <= written < 25, "of one holder, with all its tokens"
    await harness.client.get("/v1/teams", headers=await harness.another("partner", "GLOBEX"))
    assert (await refused(harness))[-1][0] == "partner/GLOBEX"
