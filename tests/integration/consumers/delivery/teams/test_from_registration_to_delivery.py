"""What an agency registers over HTTP gets the example and past campaigns, and verifies them with what it was shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from standardwebhooks import Webhook

from consumers.delivery.secrets import opening_keys
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.delivery.teams.desk import AGENCIES, TEAM, Office
from tests.integration.consumers.read_api.read_api import REGISTER, read_window
from tests.unit.consumers.delivery.receivers import receiver
from tests.world.teams import WAITING, delivering, for_hooks, live_launches, until

PUBLISHED = "SELECT count(*) FROM delivery.sealing_key"
BACKFILLED = "SELECT count(*) FROM delivery.subscription WHERE backfill_next < backfill_to"


async def test_an_agency_registers_tests_subscribes_and_gets_past_campaigns_as_replays(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings)
    await live_launches(connection, 2)
    for code, role in AGENCIES:
        await connection.execute(REGISTER, code, role)
    async with receiver() as hook, delivering(settings), read_window(settings, connection) as window:
        await until(connection, PUBLISHED, 1)
        office = Office(window, opening_keys(settings, datetime.now(UTC))[0])
        await office.made("/v1/teams", TEAM)
        made = await office.made("/v1/webhooks", {"team": "press", "url": hook.url()})

        sent = await office.made(f"/v1/webhooks/{made['endpoint_id']}/test", None)
        await hook.until(1)
        (example,) = hook.got
        assert example.headers["yesser-example"] == "true"
        assert Webhook(made["secret"]).verify(example.body, example.headers) == json.loads(example.body)
        assert json.loads(example.body)["id"] == sent["event_id"]

        await until(connection, "SELECT count(*) FROM delivery.position WHERE part = 'router'", 1)
        asked = {"team": "press", "route": "webhook", "from_index": 0, "services": ["S1"]}
        subscribed = await office.made("/v1/subscriptions", asked)
        assert subscribed["backfill"]["from"] == 0
        await hook.until(2)
        await until(connection, BACKFILLED, 0)
        await until(connection, WAITING, 0)
    assert len(hook.got) == 2
    replay = hook.got[1]
    assert replay.headers["yesser-replay"] == "true"
    event = Webhook(made["secret"]).verify(replay.body, replay.headers)
    assert (event["type"], event["data"]["service_id"]) == ("sa.gov.yesser.campaign.triggered.v1", "S1")
