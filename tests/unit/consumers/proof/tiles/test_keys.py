"""The log's keys are public from its beginning on; the file of a mirror, which has rotations alone, stays as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import pytest
from fastapi import FastAPI

from consumers.proof.tiles.routes import router
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.log.key_history import parse_history, parse_transitions, sign_transition
from infra.log.signed_note import LogKey
from infra.settings import Settings
from tests.world.memory_log import KEY

NEXT = LogKey(KEY.name, b"n" * 32)
ROTATION = sign_transition(KEY, NEXT, datetime(2026, 1, 1, tzinfo=UTC), (10, bytes(32)))


@asynccontextmanager
async def gateway(home: Path, *notes: str) -> AsyncIterator[httpx.AsyncClient]:
    """`notes`: the table of rotations. A public file asks nobody for a token."""
    app, pool = FastAPI(), AsyncMock()
    pool.acquire.return_value.fetch.return_value = [(note,) for note in notes]
    app.include_router(router(RouteParts(Settings(home=home), pool, AsyncMock(side_effect=AssertionError))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway/log/0/") as client:
        yield client


async def test_the_keys_are_there_around_the_first_rotation_and_no_unknown_ones(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "log.vkey").write_text(KEY.verifier.vkey + "\n")
    async with gateway(tmp_path) as client:
        answer = await client.get("vkeys")
        assert (answer.status_code, answer.text) == (200, f"{KEY.verifier.vkey}\n")
        assert parse_history(answer.text, KEY.verifier).keys == (KEY.verifier,)
        with pytest.raises(Problem, match="not-found"):
            await client.get("keys")
    async with gateway(tmp_path / "another", ROTATION.note) as client:
        keys, vkeys = await client.get("keys"), await client.get("vkeys")
    assert parse_history(vkeys.text, NEXT.verifier).keys == (KEY.verifier, NEXT.verifier)
    assert parse_transitions(keys.text) == [ROTATION], "as clients read it that know rotations alone"
    async with gateway(tmp_path / "another") as client:
        with pytest.raises(Problem, match="not-found"):
            await client.get("vkeys")
