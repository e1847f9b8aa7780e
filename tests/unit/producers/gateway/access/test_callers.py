"""Authentication without a database: the pool of these tests returns fixed rows."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from infra.http.problems import Problem
from infra.keys.hash_keys import HashKey, HashKeys, hash_key_files, load_hash_keys, new_hash_key, write_rotated
from infra.keys.seals import Seals
from infra.log.signed_note import InvalidKey
from infra.observability.telemetry import REGISTRY
from infra.postgres.connection import Pool
from infra.settings import Settings
from producers.agencies.tokens import hash_key, keyed_hash, random_token
from producers.gateway.access.callers import Access
from tests.every import every


def changed_count() -> float:
    return REGISTRY.get_sample_value("yesser_gateway_tokens_changed_total") or 0.0


class FakePool:
    """Answers every question with `row`, or fails as a database that is away."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {}
        """The token's row; empty where there is none."""
        self.away = False
        self.asked = 0
        self.written: list[list[str]] = []
        self.trail: list[tuple[Any, ...]] = []

    async def fetchrow(self, query: str, key_id: str) -> dict[str, Any] | None:
        self.asked += 1
        if self.away:
            raise asyncpg.CannotConnectNowError("away")
        return self.row or None

    async def execute(self, query: str, *values: Any) -> None:
        if "platform.trail" in query:
            self.trail.append(values)
        else:
            self.written.append(values[0])


class Scene:
    """An access with a clock that the test moves."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.now = 0.0
        self.today = datetime(2026, 1, 1, tzinfo=UTC)
        self.files = hash_key_files(Settings(home=home))
        self.pool = FakePool()
        given = Settings(home=home, **settings)
        self.access = Access(given, cast(Pool, self.pool), lambda: self.now, lambda: self.today)
        self.key = hash_key(given)
        self.key_id, self.token = random_token()
        row = {
            "key_id": self.key_id,
            "kind": "agency",
            "holder": "health",
            "scopes": ["events:write"],
            "partners": [],
            "expires_at": datetime(2030, 1, 1, tzinfo=UTC),
            "keyed_hash": keyed_hash(self.token, self.key),
            "hash_key_id": HashKey(self.key.decode()).key_id,
            "role": "agency",
            "is_suspended": False,
            "halted_reason": None,
            "paused_until": None,
        }
        self.pool.row = {**row, "seal": Seals(self.key).of_token(row)}

    async def code(self, token: str | None = None, host: str = "192.0.2.1") -> str:
        """`ok`, or the code of the problem."""
        header = f"Bearer {self.token if token is None else token}".encode()
        try:
            await self.access.authenticate([(b"authorization", header)], host)
        except Problem as problem:
            return problem.code
        return "ok"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@every(
    "change",
    [
        {"holder": "labour"},
        {"kind": "office"},
        {"scopes": ["events:write", "log:read"]},
        {"partners": ["health/ACME"]},
        {"expires_at": datetime(2040, 1, 1, tzinfo=UTC)},
        {"seal": None},
    ],
)
async def test_a_changed_row_is_refused_counted_and_noted_once(tmp_path: Path, change: dict[str, Any]) -> None:
    scene, before = Scene(tmp_path), changed_count()
    scene.pool.row |= change
    assert [await scene.code() for _ in range(2)] == ["token-changed"] * 2
    scene.now = 10
    assert await scene.code() == "token-changed"
    assert changed_count() == before + 2
    assert [(*row[:2], row[3]) for row in scene.pool.trail] == [(None, None, f"refused token {scene.key_id}")]


async def test_a_token_is_looked_up_once_in_a_while_for_all_requests_and_its_use_is_noted_once(scene: Scene) -> None:
    assert await asyncio.gather(*(scene.code() for _ in range(5))) == ["ok"] * 5
    assert await scene.code() == "ok"
    assert scene.pool.asked == 1
    for _ in range(2):
        await scene.access.write_last_used()
    assert scene.pool.written == [[scene.key_id]]
    scene.now, scene.pool.row = 2.1, {}
    assert await scene.code() == "unauthenticated"


async def test_one_that_goes_away_does_not_end_the_question_of_the_others(scene: Scene) -> None:
    first, second = (asyncio.create_task(scene.code()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "ok"
    assert scene.pool.asked == 1


async def test_while_the_database_is_away_known_tokens_are_good_for_the_grace_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path, gateway_failures_per_s=1)
    assert await scene.code() == "ok"
    scene.now, scene.pool.away = 30.0, True
    assert await scene.code() == "ok"
    assert await scene.code(random_token()[1]) == "database-away"
    scene.now, asked = 61.0, scene.pool.asked
    assert await asyncio.gather(*(scene.code() for _ in range(5))) == ["database-away"] * 5
    assert scene.pool.asked == asked + 1, "those who come together ask once"
    unknown = [await scene.code(random_token()[1]) for _ in range(20)]
    assert unknown == ["database-away"] * 20, "it costs their peer no failure"
    scene.pool.away = False
    assert await scene.code() == "ok"


async def test_a_token_whose_secret_differs_is_nobodys_and_two_headers_are_none(scene: Scene) -> None:
    _, other = random_token()
    assert await scene.code(f"yat_{scene.key_id}_{other.rpartition('_')[2]}") == "unauthenticated"
    header = (b"authorization", f"Bearer {scene.token}".encode())
    with pytest.raises(Problem):
        await scene.access.authenticate([header, header], "192.0.2.1")


async def test_a_suspended_agencys_caller_may_do_nothing(scene: Scene) -> None:
    scene.pool.row["is_suspended"] = True
    caller = await scene.access.authenticate([(b"authorization", f"bearer {scene.token}".encode())], "192.0.2.1")
    with pytest.raises(Problem) as caught:
        caller.require("events:write")
    assert caught.value.code == "suspended"


async def test_guessed_tokens_are_looked_up_only_while_their_peer_has_failures_left(tmp_path: Path) -> None:
    scene = Scene(tmp_path, gateway_failures_per_s=20)
    assert await scene.code() == "ok"
    codes = Counter([await scene.code(random_token()[1]) for _ in range(3_000)])
    assert codes == {"unauthenticated": 100, "too-many-requests": 2_900}
    assert scene.pool.asked == 1 + 100
    assert await scene.code() == "ok", "a token that is known is not held up"


async def test_a_good_token_costs_its_network_no_failure_and_each_wrong_one_does(tmp_path: Path) -> None:
    scene = Scene(tmp_path, gateway_failures_per_s=1)
    for _ in range(4):
        assert await asyncio.gather(*(scene.code(host="2001:db8::1") for _ in range(5))) == ["ok"] * 5
    codes = [await scene.code("wrong", f"2001:db8::{number:x}") for number in range(7)]
    assert codes == ["unauthenticated"] * 5 + ["too-many-requests"] * 2
    assert await scene.code("wrong", "2001:db8:0:1::1") == "unauthenticated", "of another network"


@every("text", ["", "yat_x", "wrong", "a.b.c", "x" * 9_000, "yat_" + "a" * 10 + "_" + "g" * 64])
async def test_a_malformed_token_reaches_neither_the_cache_nor_the_database(scene: Scene, text: str) -> None:
    assert await scene.code(text) == "unauthenticated"
    assert (scene.pool.asked, len(scene.access._known)) == (0, 0)


async def test_a_known_token_beyond_its_rate_is_not_looked_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path, gateway_requests_burst=2, gateway_requests_per_s=0.1)
    assert [await scene.code() for _ in range(2)] == ["ok", "ok"]
    scene.now = 3.0
    assert await scene.code() == "too-many-requests"
    assert scene.pool.asked == 1


async def test_a_revoked_token_is_looked_up_once_in_a_while_and_counts_as_a_failure(tmp_path: Path) -> None:
    scene = Scene(tmp_path, gateway_failures_per_s=1)
    assert await scene.code() == "ok"
    scene.now, scene.pool.row = 3.0, {}
    codes = [await scene.code() for _ in range(10)]
    assert codes == ["unauthenticated"] * 6 + ["too-many-requests"] * 4
    assert scene.pool.asked == 2


def test_public_requests_have_a_limit_of_their_own_for_each_peer(tmp_path: Path) -> None:
    scene = Scene(tmp_path, gateway_public_requests_per_s=1)
    for _ in range(5):
        scene.access.admit("192.0.2.1")
    with pytest.raises(Problem) as caught:
        scene.access.admit("192.0.2.1")
    assert (caught.value.code, caught.value.headers["Retry-After"]) == ("too-many-requests", "1")
    scene.access.admit("192.0.2.2")


def rotate(scene: Scene, days: int) -> None:
    """As `yesser keys rotate tokens` leaves the files."""
    keys = load_hash_keys(scene.files)
    until = scene.today + timedelta(days=days)
    write_rotated(scene.files, HashKeys(new_hash_key(), HashKey(keys.current.text, until)))


async def test_tokens_of_the_key_before_are_valid_until_the_overlap_ends(scene: Scene) -> None:
    own = scene.pool.row["hash_key_id"]
    rotate(scene, 30)
    scene.access.read_keys()
    for named, code in (
        (None, "ok"),  # of any valid key
        (load_hash_keys(scene.files).current.key_id, "unauthenticated"),
        (own, "ok"),
    ):
        scene.now, scene.pool.row["hash_key_id"] = scene.now + 10, named
        assert await scene.code() == code, named
    scene.now, scene.today = scene.now + 10, scene.today + timedelta(days=30)
    assert await scene.code() == "unauthenticated"


async def test_a_token_of_a_key_that_was_put_in_use_just_now_is_valid_at_once(scene: Scene) -> None:
    rotate(scene, 30)
    new = load_hash_keys(scene.files).current
    scene.key_id, scene.token = random_token()
    scene.pool.row |= {"keyed_hash": keyed_hash(scene.token, new.secret), "hash_key_id": new.key_id}
    scene.pool.row |= {"key_id": scene.key_id}
    scene.pool.row["seal"] = Seals(new.secret).of_token(scene.pool.row)
    assert await scene.code() == "ok"


def test_a_key_of_the_hashes_that_is_gone_or_open_to_others_is_not_used(scene: Scene) -> None:
    scene.files.current.chmod(0o644)
    with pytest.raises(InvalidKey, match="chmod 600"):
        scene.access.read_keys()
    scene.files.current.unlink()
    with pytest.raises(InvalidKey, match="no token that was issued would be valid"):
        scene.access.read_keys()
