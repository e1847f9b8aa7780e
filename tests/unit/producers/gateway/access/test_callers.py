"""Authentication without a database: the pool of these tests returns fixed rows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from infra.http.problems import Problem
from infra.postgres.connection import Pool
from infra.settings import Settings
from producers.agencies.tokens import hash_key, keyed_hash, random_token
from producers.gateway.access.callers import Access


class FakePool:
    """Answers every question with `row`, or fails as a database that is away."""

    def __init__(self) -> None:
        self.row: dict[str, Any] | None = None
        self.away = False
        self.asked = 0
        self.written: list[list[str]] = []

    async def fetchrow(self, query: str, key_id: str) -> dict[str, Any] | None:
        self.asked += 1
        if self.away:
            raise asyncpg.CannotConnectNowError("away")
        return self.row

    async def execute(self, query: str, key_ids: list[str]) -> None:
        self.written.append(key_ids)


class Scene:
    """An access with a clock that the test moves."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.now = 0.0
        self.pool = FakePool()
        given = Settings(home=home, **settings)
        self.access = Access(given, cast(Pool, self.pool), lambda: self.now)
        self.key_id, self.token = random_token()
        self.pool.row = {
            "kind": "agency",
            "holder": "health",
            "scopes": ["events:write"],
            "keyed_hash": keyed_hash(self.token, hash_key(given)),
            "role": "agency",
            "is_suspended": False,
            "paused_until": None,
        }

    async def code(self, token: str | None = None) -> str:
        """`ok`, or the code of the problem."""
        header = f"Bearer {self.token if token is None else token}".encode()
        try:
            await self.access.authenticate([(b"authorization", header)], "192.0.2.1")
        except Problem as problem:
            return problem.code
        return "ok"


async def test_a_known_token_is_looked_up_again_only_after_a_while(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert [await scene.code() for _ in range(3)] == ["ok"] * 3
    assert scene.pool.asked == 1
    scene.now, scene.pool.row = 2.1, None
    assert await scene.code() == "unauthenticated"


async def test_requests_that_come_together_ask_once_whatever_the_answer(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert await asyncio.gather(*(scene.code() for _ in range(5))) == ["ok"] * 5
    assert scene.pool.asked == 1
    scene.now, scene.pool.away = 61.0, True
    assert await asyncio.gather(*(scene.code() for _ in range(5))) == ["database-away"] * 5
    assert scene.pool.asked == 2
    scene.pool.away = False
    assert await scene.code() == "ok"


async def test_one_that_goes_away_does_not_end_the_question_of_the_others(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    first, second = (asyncio.create_task(scene.code()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "ok"
    assert scene.pool.asked == 1


async def test_while_the_database_is_away_known_tokens_are_good_for_the_grace_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert await scene.code() == "ok"
    scene.now, scene.pool.away = 30.0, True
    assert await scene.code() == "ok"
    assert await scene.code(random_token()[1]) == "database-away"
    scene.now = 61.0
    assert await scene.code() == "database-away"


async def test_a_token_whose_secret_differs_is_nobodys(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    _, other = random_token()
    assert await scene.code(f"yat_{scene.key_id}_{other.rpartition('_')[2]}") == "unauthenticated"


async def test_two_authorization_headers_are_none(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    header = (b"authorization", f"Bearer {scene.token}".encode())
    with pytest.raises(Problem):
        await scene.access.authenticate([header, header], "192.0.2.1")


async def test_guessing_is_slowed_down_by_address(tmp_path: Path) -> None:
    scene = Scene(tmp_path, gateway_failures_per_s=1.0)
    codes = [await scene.code("wrong") for _ in range(7)]
    assert codes == ["unauthenticated"] * 5 + ["too-many-requests"] * 2
    assert await scene.code() == "ok", "a good token is not held up"


async def test_what_was_used_is_noted_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    await scene.code()
    await scene.access.write_last_used()
    await scene.access.write_last_used()
    assert scene.pool.written == [[scene.key_id]]


async def test_a_suspended_agencys_caller_may_do_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.pool.row is not None
    scene.pool.row["is_suspended"] = True
    caller = await scene.access.authenticate([(b"authorization", f"bearer {scene.token}".encode())], "192.0.2.1")
    with pytest.raises(Problem) as caught:
        caller.require("events:write")
    assert caught.value.code == "suspended"
