"""The served log: the bytes of a mirror, whose entries need a token; what is not signed is not served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.port import HttpPort
from consumers.proof.tiles.routes import router
from infra.http.callers import Caller
from infra.http.routes import RouteParts
from infra.log.proof_file import parse_proof_file
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.api.read_api import CALLERS, REGISTER, Window, read_window
from tests.world.logs import sign, write_signed_log
from tests.world.memory_log import KEY, sample_entries
from tests.world.mirrors import mirrored

SIGNED = 1000
ENTRIES = sample_entries(1100)
NOT_SIGNED = ("tile/0/003.p/233", "tile/0/003", "tile/0/004.p/76", "tile/entries/004", "tile/1/000", "tile/5/000")
NO_TILES = ("tile/0/0", "tile/0/000.p/0", "tile/0/x001/000", "tile/", "other")


@pytest.fixture
async def window(settings: Settings, connection: Connection) -> AsyncIterator[Window]:
    await write_signed_log(connection, ENTRIES, SIGNED)
    for code, role in (("yesser", "office"), ("health", "agency")):
        await connection.execute(REGISTER, code, role)
    async with read_window(settings, connection) as opened:
        yield opened


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_every_file_of_a_mirror_is_served_byte_for_byte_and_nothing_else(window: Window, tmp_path: Path) -> None:
    files = files_of(await mirrored(tmp_path / "mirror", ENTRIES[:SIGNED]))
    assert len(files) == 10
    for path, data in files.items():
        answer = await window.get(f"/log/0/{path}")
        assert (answer.status_code, answer.content) == (200, data), path
        assert ("immutable" in answer.headers["cache-control"]) == (path != "checkpoint")
        is_public = (await window.client.get(f"/log/0/{path}")).status_code == 200
        assert is_public != path.startswith("tile/entries/"), path
    for path in (*NOT_SIGNED, *NO_TILES):
        assert (await window.get(f"/log/0/{path}")).status_code == 404, path
    bundle = "/log/0/tile/entries/000"
    assert (await window.client.get(bundle)).status_code == 401
    assert (await window.get(bundle, *CALLERS["auditor"])).status_code == 200
    assert (await window.get(bundle, *CALLERS["acme"])).status_code == 403

    for accepted, encoding in (("identity", None), ("gzip", "gzip"), ("gzip;q=0", None)):
        answer = await window.get(bundle, accept_encoding=accepted)
        assert (answer.headers.get("content-encoding"), answer.content) == (encoding, files["tile/entries/000"])
        assert (int(answer.headers["content-length"]) < len(answer.content) / 3) == (encoding is not None)
    ranged = await window.get("/log/0/tile/0/000", range="bytes=0-31")
    assert (ranged.status_code, len(ranged.content), ranged.headers["accept-ranges"]) == (200, 8192, "none")

    answer = await window.get("/v1/proofs/777", accept="text/plain")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    proof = parse_proof_file(answer.text)
    assert (proof.index, proof.entry, proof.verified(KEY.verifier).size) == (777, ENTRIES[777], SIGNED)
    assert (await window.get("/v1/proofs/777", accept="application/json, text/plain")).json()["index"] == 777

    window.client.base_url = httpx.URL("http://gateway/log/0/")
    window.client.headers["authorization"] = f"Bearer {window.tokens[CALLERS['auditor']]}"
    await write_mirror(HttpPort(window.client, KEY.verifier), tmp_path / "asked", KEY.verifier)
    assert files_of(tmp_path / "asked") == files, "an auditor reads it as a mirror"


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
    kept = {path: answer for path in paths if (answer := parts.answers.get(f"/log/0/{path}"))}
    assert list(kept) == ["tile/0/000"]
    assert kept["tile/0/000"].body == answers["tile/0/000"].content

    later = "/log/0/tile/0/004.p/76"
    assert (await window.client.get(later)).status_code == 404
    await sign(window.connection, ENTRIES, len(ENTRIES))
    assert (await window.client.get(later)).status_code == 200, "a new checkpoint is served with its tiles"
    await window.connection.execute("ALTER TABLE log.node DISABLE TRIGGER USER; DELETE FROM log.node")
    assert (await window.client.get("/log/0/tile/1/000.p/3")).status_code == 404, "its rows are missing"
