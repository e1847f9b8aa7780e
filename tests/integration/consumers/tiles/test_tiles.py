"""The served log: it verifies for a stranger's client; entries need a token; what is not signed is not served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request

from consumers.audit.http_port import HttpPort, TokenRefused
from consumers.audit.mirror import write_mirror
from consumers.audit.port import MirrorPort
from consumers.audit.tree import require_tree
from consumers.database_audit.postgres_port import PostgresPort
from consumers.tiles.routes import router
from infra.http.callers import Caller
from infra.http.routes import RouteParts
from infra.log.proof_file import parse_proof_file
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.every import every
from tests.integration.consumers.read_api.read_api import Window, read_window
from tests.world.logs import sign, write_signed_log
from tests.world.memory_log import KEY, MemoryLog, sample_entries

SIGNED = 1000
ENTRIES = sample_entries(1100)


@pytest.fixture
async def window(settings: Settings, connection: Connection) -> AsyncIterator[Window]:
    await write_signed_log(connection, ENTRIES, SIGNED)
    for number, (code, role) in enumerate((("yesser", "office"), ("health", "agency")), 1):
        await connection.execute("INSERT INTO platform.agency VALUES ($1, $2, '{}', $3)", code, role, number)
    async with read_window(settings, connection) as opened:
        yield opened


async def port_of(window: Window) -> HttpPort:
    """The log as an auditor with a token reads it."""
    await window.get("/v1/entries", "auditor", "court-of-audit")
    token = window.tokens["auditor", "court-of-audit"]
    window.client.headers["authorization"] = f"Bearer {token}"
    window.client.base_url = httpx.URL("http://gateway/log/0/")
    return HttpPort(window.client, KEY.verifier)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def test_it_verifies_as_the_database_does(window: Window, connection: Connection, tmp_path: Path) -> None:
    port = await port_of(window)
    checkpoint = await port.checkpoint()
    assert checkpoint.size == SIGNED
    await require_tree(port, checkpoint.size, checkpoint.root)
    await write_mirror(port, tmp_path / "served", KEY.verifier)
    await write_mirror(PostgresPort(connection, KEY.verifier), tmp_path / "own", KEY.verifier)
    assert files(tmp_path / "served") == files(tmp_path / "own")


async def test_every_file_of_a_mirror_is_served_byte_for_byte(window: Window, tmp_path: Path) -> None:
    log = MemoryLog(ENTRIES, SIGNED)
    await write_mirror(log, tmp_path / "mirror", KEY.verifier)
    for path, data in files(tmp_path / "mirror").items():
        answer = await window.get(f"/log/0/{path}")
        assert answer.status_code == 200, path
        assert answer.content == data, path
        assert ("immutable" in answer.headers["cache-control"]) == (path != "checkpoint")


async def test_checkpoint_and_hashes_are_public_and_entries_need_a_token(window: Window) -> None:
    for path in ("checkpoint", "tile/0/000", "tile/0/003.p/232", "tile/1/000.p/3"):
        answer = await window.client.get(f"/log/0/{path}")
        assert answer.status_code == 200, path
    assert (await window.client.get("/log/0/tile/entries/000")).status_code == 401
    assert (await window.get("/log/0/tile/entries/000", "auditor", "court-of-audit")).status_code == 200
    assert (await window.get("/log/0/tile/entries/000", "partner", "ACME")).status_code == 403
    window.client.base_url = httpx.URL("http://gateway/log/0/")
    port = HttpPort(window.client, KEY.verifier)
    await port.checkpoint()
    with pytest.raises(TokenRefused, match="tile/entries/000"):
        await port.entries(0, 10)


@every(
    "path",
    [
        "tile/0/003.p/233",
        "tile/0/003",
        "tile/entries/004",
        "tile/1/000",
        "tile/5/000",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/0/x001/000",
        "tile/",
        "other",
    ],
)
async def test_what_is_not_signed_or_not_a_tile_is_not_found(window: Window, path: str) -> None:
    assert (await window.get(f"/log/0/{path}")).status_code == 404


async def test_bundles_are_compressed_on_request_and_a_range_is_the_whole(window: Window) -> None:
    plain = await window.get("/log/0/tile/entries/000", accept_encoding="identity")
    packed = await window.get("/log/0/tile/entries/000", accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.content == plain.content
    refused = await window.get("/log/0/tile/entries/000", accept_encoding="gzip;q=0")
    assert "content-encoding" not in refused.headers
    answer = await window.get("/log/0/tile/0/000", range="bytes=0-31")
    assert (answer.status_code, len(answer.content), answer.headers["accept-ranges"]) == (200, 8192, "none")


async def test_a_new_checkpoint_is_served_with_its_tiles(window: Window, connection: Connection) -> None:
    assert (await window.client.get("/log/0/tile/0/004.p/76")).status_code == 404
    await sign(connection, ENTRIES, len(ENTRIES))
    assert (await window.client.get("/log/0/tile/0/004.p/76")).status_code == 200


async def test_full_tiles_are_kept_and_what_may_grow_or_needs_a_token_is_not(window: Window) -> None:
    async def auditor(request: Request) -> Caller:
        return Caller("k", "auditor", "court-of-audit", frozenset({"log:read"}), None)

    parts = RouteParts(window.settings, window.reads, auditor)
    app = FastAPI()
    app.include_router(router(parts))
    paths = ["checkpoint", "tile/0/000", "tile/0/003.p/232", "tile/1/000.p/3", "tile/entries/000"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway/log/0/") as client:
        answers = {path: await client.get(path) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200}
    kept = {path: answer for path in paths if (answer := parts.kept.get(f"/log/0/{path}"))}
    assert list(kept) == ["tile/0/000"]
    assert kept["tile/0/000"].body == answers["tile/0/000"].content


async def test_a_tile_whose_rows_are_missing_is_not_found(window: Window, connection: Connection) -> None:
    await connection.execute("ALTER TABLE log.node DISABLE TRIGGER USER; DELETE FROM log.node")
    assert (await window.client.get("/log/0/tile/1/000.p/3")).status_code == 404


async def test_a_proof_is_a_file_that_stands_alone(window: Window, tmp_path: Path) -> None:
    answer = await window.get("/v1/proofs/777", accept="text/plain")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    proof = parse_proof_file(answer.text)
    assert (proof.index, proof.entry) == (777, ENTRIES[777])
    assert proof.verified(KEY.verifier).size == SIGNED
    assert (await window.get("/v1/proofs/777", accept="application/json, text/plain")).json()["index"] == 777
    await write_mirror(MemoryLog(ENTRIES, SIGNED), tmp_path / "mirror", KEY.verifier)
    assert (await MirrorPort(tmp_path / "mirror", KEY.verifier).entries(777, 1)) == [proof.entry]
