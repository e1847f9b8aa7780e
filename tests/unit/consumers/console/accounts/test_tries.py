"""A stranger's tries keep nobody else out, guesses stay slow, and what a browser carries is sealed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumers.console.accounts.passwords import WAITING_MAX, PasswordChecks
from consumers.console.accounts.tries import Sealer, Tries
from infra.http.problems import Problem
from infra.keys.hash_keys import console_key_files, load_or_create_hash_keys
from infra.keys.rotation import rotate_hash_key
from infra.settings import Settings
from tests.world.processes import Clock

STRANGER, OWNER = "203.0.113.9", "198.51.100.7"


def tries_at(clock: Clock[float], key: str = "key") -> Tries:
    return Tries(Sealer(lambda: [key], "browser"), clock)


@pytest.fixture
def tries() -> Tries:
    return tries_at(Clock(0.0))


def test_one_stranger_who_tries_all_day_keeps_the_right_person_out_no_time() -> None:
    clock = Clock(0.0)
    tries = tries_at(clock)
    for second in range(0, 7_200, 2):
        clock.now = second
        tries.wait_s(STRANGER, "health", "")
        if second % 120 == 0:
            assert tries.wait_s(OWNER, "health", "") == 0, second


def test_a_peer_waits_after_ten_tries_for_one_account(tries: Tries) -> None:
    address, neighbour, other = "2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"
    assert [tries.wait_s(address, "health", "") for _ in range(11)] == [0] * 10 + [10]
    assert tries.wait_s(address, "justice", "") == 0
    assert tries.wait_s(neighbour, "health", "") > 0, "a network of IPv6 is one peer"
    assert tries.wait_s(other, "health", "") == 0


def test_a_browser_that_signed_in_before_is_not_kept_out_by_many_strangers_or_its_own_network(tries: Tries) -> None:
    cookie = tries.remembered("", "health")
    for number in range(1_000):
        tries.wait_s(f"192.0.{number // 250}.{number % 250}", "health", "")
    for _ in range(100):
        tries.wait_s(OWNER, "health", "")
    assert tries.wait_s("192.0.99.1", "health", "") > 0, "guesses from everywhere are slowed down"
    assert tries.wait_s(OWNER, "health", cookie) == 0


def test_its_own_tries_are_limited_and_only_for_the_accounts_that_it_signed_in(tries: Tries) -> None:
    cookie = tries.remembered(tries.remembered("", "health"), "justice")
    for name in ("health", "justice"):
        assert [tries.wait_s(OWNER, name, cookie) for _ in range(11)] == [0] * 10 + [10]
    assert [tries.wait_s(OWNER, "office", cookie) for _ in range(11)] == [0] * 10 + [10]
    assert tries.wait_s(OWNER, "office", tries.remembered("", "health")) > 0, "as without a cookie"


def test_a_cookie_that_was_not_sealed_here_is_none_and_one_remembers_its_last_accounts_only(tries: Tries) -> None:
    cookie, forged = "", tries_at(Clock(0.0), "another key").remembered("", "health")
    for _ in range(10):
        tries.wait_s(OWNER, "health", forged)
    assert tries.wait_s(OWNER, "health", forged) > 0
    for number in range(100):
        cookie = tries.remembered(cookie, f"account{number}")
    assert len(cookie) < 400


async def test_more_passwords_than_are_checked_in_a_second_are_refused() -> None:
    going = asyncio.Event()

    async def in_thread(*_: object) -> bool:
        await going.wait()
        return True

    checks = PasswordChecks(in_thread)
    waiting = [asyncio.create_task(checks.is_password(None, "x")) for _ in range(WAITING_MAX + 2)]
    await asyncio.sleep(0)
    for ask in (checks.is_password(None, "x"), checks.hash("x")):
        with pytest.raises(Problem) as refused:
            await ask
        assert refused.value.code == "overloaded"
    going.set()
    assert all(await asyncio.gather(*waiting))
    assert await checks.is_password(None, "x")


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_was_sealed_before_a_rotation_is_opened_until_the_overlap_ends(tmp_path: Path) -> None:
    settings, now = Settings(home=tmp_path), NOW
    files = console_key_files(settings)
    load_or_create_hash_keys(files)
    sealer, other = Sealer.of(settings, "browser", lambda: now), Sealer.of(settings, "oidc", lambda: now)
    before = sealer.seal(1)
    rotate_hash_key(files, 1, now)
    after = sealer.seal(2)
    assert (sealer.open(before), sealer.open(after), other.open(before)) == (1, 2, None)
    now += timedelta(days=1)
    assert (sealer.open(before), sealer.open(after)) == (None, 2)
    keyless = Sealer.of(Settings(home=tmp_path / "empty"), "browser", lambda: NOW)
    assert keyless.open(keyless.seal(1)) == 1, "without a key it opens what it sealed itself"
