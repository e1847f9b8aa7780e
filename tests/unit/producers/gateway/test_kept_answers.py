"""What a route has kept is sent without it: to a plain GET only, and within the limits of its peer."""

from __future__ import annotations

from pathlib import Path

from fastapi import Response
from starlette.types import ASGIApp

from infra.settings import Settings
from producers.gateway.access.callers import Access
from producers.gateway.app import served
from tests.unit.producers.gateway.http.in_memory import Transport, exchange
from tests.world.gateways import NOTHING, parts

PATH = "/log/0/tile/0/000"


async def ask(app: ASGIApp, method: str, target: str) -> Transport:
    return await exchange(app, f"{method} {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode())


async def test_a_kept_answer_needs_no_database_and_counts_against_the_peers_rate(tmp_path: Path) -> None:
    """Without a database, a route that is called fails. Other methods and parameters are the router's."""
    settings = Settings(home=tmp_path, gateway_log_requests_per_s=1)
    made = parts(settings, Access(settings, NOTHING))
    made.answers[PATH] = Response(b"hashes", headers={"Cache-Control": "public, immutable"})
    app = served(made)
    for _ in range(2):
        transport = await ask(app, "GET", PATH)
        assert transport.statuses == [200]
        assert transport.written.endswith(b"cache-control: public, immutable\r\ncontent-length: 6\r\n\r\nhashes")
    assert (await ask(app, "DELETE", PATH)).statuses == [405]
    assert (await ask(app, "GET", f"{PATH}?x=1")).statuses == [400]
    assert [(await ask(app, "GET", PATH)).statuses for _ in range(20)][-1] == [429]
