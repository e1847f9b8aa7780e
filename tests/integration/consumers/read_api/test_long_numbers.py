"""What one agency may send makes no figure that the read API cannot give: sums and sequence numbers beyond 64 bits."""

from __future__ import annotations

from typing import Any

from tests.integration.consumers.read_api.read_api import Window
from tests.world.commands import Yesser

AIRINGS = 2_049
REACH = AIRINGS * (2**53 - 1)
AIRED = """INSERT INTO campaigns.airing (campaign_id, airing_id, index, channel, outlet, aired_on, reach)
SELECT c.campaign_id, 'AIRING-' || n, 1, 'tv', '{"ar": "قناة", "en": "Channel"}', '2005-06-01', 9007199254740991
FROM (SELECT min(campaign_id) AS campaign_id FROM campaigns.campaign WHERE kind = 'specific') AS c,
    generate_series(1, $1::int) AS n RETURNING campaign_id"""
LAST = 10**20 - 1
READ = """INSERT INTO log.sequence_state (agency, seen, accepted, repeated, highest)
VALUES ('health', nummultirange(numrange($1::numeric, $1::numeric + 1)), '{}', '{}', $1::numeric)"""


async def test_a_sum_of_reach_beyond_64_bits_is_exact_everywhere(window: Window, yesser: Yesser) -> None:
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


async def test_a_number_of_twenty_digits_is_a_text_of_every_route(window: Window) -> None:
    await window.connection.execute(READ, LAST)
    await window.connection.execute("INSERT INTO log.sequence_month VALUES ('health', '2026-11', $1)", LAST)
    months = await window.json("/v1/completeness/months?agency=health")
    assert months["agencies"] == [
        {"agency": "health", "status": "incomplete", "first": 1, "last": str(LAST), "missing_count": str(LAST - 1)}
    ]
    own = await window.json("/v1/completeness", "agency", "health")
    assert (own["highest"], own["missing"], own["missing_count"]) == (str(LAST), [[1, str(LAST - 1)]], str(LAST - 1))
