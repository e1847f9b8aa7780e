"""What a route has kept is sent without it: to a plain GET only, and within the limits of its peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Response
from starlette.types import ASGIApp

from infra.settings import Settings
from producers.gateway.access.callers import Access
from producers.gateway.app import served
from tests.unit.producers.gateway.http.in_memory import exchange
from tests.world.gateways import NOTHING, parts

PATH = "/log/0/tile/0/000"


def gateway(home: Path, **changes: Any) -> ASGIApp:
    """Without a database: a route that is called fails."""
    settings = Settings(home=home, **changes)
    made = parts(settings, Access(settings, NOTHING))
    made.kept.keep(PATH, Response(b"hashes", headers={"Cache-Control": "public, immutable"}))
    return served(made)


def request(method: str, target: str) -> bytes:
    return f"{method} {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode()


async def test_a_kept_answer_needs_no_database_and_other_methods_and_parameters_are_the_routers(tmp_path: Path) -> None:
    app = gateway(tmp_path)
    for _ in range(2):
        transport = await exchange(app, request("GET", PATH))
        assert transport.statuses == [200]
        assert transport.written.endswith(b"cache-control: public, immutable\r\ncontent-length: 6\r\n\r\nhashes")
    assert (await exchange(app, request("DELETE", PATH))).statuses == [405]
    assert (await exchange(app, request("GET", f"{PATH}?x=1"))).statuses == [400]


async def test_kept_answers_count_against_the_peers_rate(tmp_path: Path) -> None:
    app = gateway(tmp_path, gateway_log_requests_per_s=1)
    statuses = [status for _ in range(20) for status in (await exchange(app, request("GET", PATH))).statuses]
    assert statuses[0] == 200
    assert statuses[-1] == 429
