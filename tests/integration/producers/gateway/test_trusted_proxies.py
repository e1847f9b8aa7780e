"""Behind a trusted proxy the limits of a peer hold for each client of it; others' `X-Forwarded-For` is ignored."""

from __future__ import annotations

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.senders import run_gateway, serving

LIMITS = {"gateway_failures_per_s": 0.2, "gateway_connections_per_peer_max": 9}
"""A burst of one request, and no second one during the test."""
OTHER_PEERS_LAST = "203.0.113.9, 198.51.100.1"


async def test_a_peer_is_whom_a_trusted_proxy_names(settings: Settings, connection: Connection) -> None:
    async with run_gateway(settings, connection, **LIMITS) as harness:
        for proxies, statuses in (
            ("127.0.0.1, 10.0.0.0/8", [401, 429, 401, 429]),
            ("10.0.0.0/8", [401, 429, 429, 429]),
        ):
            found = []
            async with serving(harness.settings.model_copy(update={"gateway_trusted_proxies": proxies})) as gateway:
                address = f"http://127.0.0.1:{gateway.port}/v1/receipts"
                for forwarded in ("203.0.113.9", "203.0.113.9", "198.51.100.1", OTHER_PEERS_LAST):
                    headers = {"authorization": "Bearer none", "x-forwarded-for": forwarded}
                    found.append((await harness.client.get(address, headers=headers)).status_code)
            assert found == statuses, proxies
