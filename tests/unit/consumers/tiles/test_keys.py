"""The log's keys are public from its beginning on; the file of a mirror, which has rotations alone, stays as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from consumers.tiles.routes import router
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.log.key_history import parse_history, parse_transitions, sign_transition
from infra.log.signed_note import LogKey
from infra.settings import Settings
from tests.world.memory_log import KEY

NEXT = LogKey(KEY.name, b"n" * 32)
ROTATION = sign_transition(KEY, NEXT, datetime(2026, 1, 1, tzinfo=UTC), (10, bytes(32)))


class Database:
    """The table of rotations, as the connection reads it and the pool gives it."""

    def __init__(self, *notes: str) -> None:
        self.notes = notes

    async def acquire(self, **_: object) -> Database:
        return self

    async def release(self, *_: object, **__: object) -> None:
        pass

    async def fetch(self, *_: object) -> list[tuple[str]]:
        return [(note,) for note in self.notes]


async def refused(_: object) -> Any:
    raise AssertionError("a public file asks nobody for a token")


@asynccontextmanager
async def gateway(home: Path, *notes: str) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    parts = RouteParts(Settings(home=home), cast(Any, Database(*notes)), refused)
    app.include_router(router(parts))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway/log/0/") as client:
        yield client


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of a machine that has the log's vkey."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "log.vkey").write_text(KEY.verifier.vkey + "\n")
    return tmp_path


async def test_the_first_key_is_there_before_the_first_rotation(home: Path) -> None:
    async with gateway(home) as client:
        answer = await client.get("vkeys")
    assert (answer.status_code, answer.text) == (200, f"{KEY.verifier.vkey}\n")
    assert parse_history(answer.text, KEY.verifier).keys == (KEY.verifier,)


async def test_after_a_rotation_both_keys_and_the_rotation_are_there(tmp_path: Path) -> None:
    async with gateway(tmp_path, ROTATION.note) as client:
        keys, vkeys = await client.get("keys"), await client.get("vkeys")
    assert parse_history(vkeys.text, NEXT.verifier).keys == (KEY.verifier, NEXT.verifier)
    assert parse_transitions(keys.text) == [ROTATION], "as clients read it that know rotations alone"


async def test_what_is_not_known_here_is_not_found(home: Path, tmp_path: Path) -> None:
    async with gateway(home) as client:
        with pytest.raises(Problem, match="not-found"):
            await client.get("keys")
    async with gateway(tmp_path / "another") as client:
        with pytest.raises(Problem, match="not-found"):
            await client.get("vkeys")
