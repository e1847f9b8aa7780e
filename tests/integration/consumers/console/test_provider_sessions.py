"""What the identity provider says of a sign-in is compared with what is required, and it ends sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from consumers.console.accounts.oidc import Oidc
from consumers.console.accounts.tries import Sealer
from consumers.console.app import application
from consumers.console.pages.signin import BEGIN, CALLBACK, LOGOUT
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.consoles import PASSWORD, ConsoleApp, add_account, change_password, console, sign_in
from tests.world.provider import ISSUER, OTHER_KEY, Provider


@dataclass(frozen=True)
class Scene(ConsoleApp):
    """A console whose provider a test signs for."""

    provider: Provider

    async def sign_in(self, client: httpx.AsyncClient, **claims: Any) -> httpx.Response:
        asked = parse_qs(urlsplit((await client.get(BEGIN)).headers["location"]).query)
        self.provider.nonce, self.provider.challenge = asked["nonce"][0], asked["code_challenge"][0]
        self.provider.claims = claims
        return await client.get(CALLBACK, params={"code": "c", "state": asked["state"][0]})

    async def sign_out(self, token: str) -> int:
        """As the provider does, which is no browser."""
        async with self.visitor() as client:
            answer = await client.post(LOGOUT, data={"logout_token": token})
        assert "no-store" in answer.headers["cache-control"]
        return answer.status_code


@asynccontextmanager
async def scene(settings: Settings, connection: Connection, **changes: Any) -> AsyncIterator[Scene]:
    await add_account(connection, "desk", "office", subject="sub-1")
    await add_account(connection, "other", "office", subject="sub-2")
    changed, provider = settings.model_copy(update=changes), Provider()
    async with console(changed) as served:
        clock = served.parts.clock
        oidc = Oidc(changed, ISSUER, Sealer.of(changed, "oidc", clock), clock, httpx.MockTransport(provider))
        parts = replace(served.parts, oidc=oidc)
        yield Scene(parts, application(parts), provider)
        await oidc.close()


async def is_signed_in(client: httpx.AsyncClient) -> bool:
    return (await client.get("/account")).status_code == 200


async def trail(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch("SELECT account, command FROM platform.trail ORDER BY row_id")]


async def test_a_sign_in_weaker_than_required_is_refused_and_noted(settings: Settings, connection: Connection) -> None:
    required = {"console_oidc_acr_values": "high", "console_oidc_amr": "hwk", "console_oidc_max_age_s": 60}
    enough = {"acr": "high", "amr": ["hwk"], "auth_time": int(datetime.now(UTC).timestamp())}
    async with scene(settings, connection, **required) as found, found.visitor() as client:
        for claim in enough:
            answer = await found.sign_in(client, **{**enough, claim: None})
            assert (answer.status_code, claim in answer.text) == (401, True)
            assert "does not confirm that you signed in as is required" in answer.text
            assert not await is_signed_in(client)
        asked = parse_qs(urlsplit((await client.get(BEGIN)).headers["location"]).query)
        assert (asked["acr_values"], asked["max_age"]) == (["high"], ["60"])
        assert (await found.sign_in(client, **enough)).status_code == 303
        assert await is_signed_in(client)
    assert await trail(connection) == [
        *(("desk", f"sign in refused {claim}") for claim in enough),
        ("desk", "sign in"),
    ]


async def test_a_genuine_token_ends_the_sessions_that_it_names(settings: Settings, connection: Connection) -> None:
    async with (
        scene(settings, connection) as found,
        found.visitor() as first,
        found.visitor() as second,
        found.visitor() as other,
        found.visitor() as by_password,
    ):
        await found.sign_in(first, sid="session-1")
        await found.sign_in(second, sid="session-2")
        await found.sign_in(other, sub="sub-2", sid="session-3")
        assert await sign_in(by_password, "desk") == 303
        clients = (first, second, other, by_password)
        token = found.provider.logout_token
        assert await found.sign_out(token(sub="sub-2", sid="session-1", jti="none")) == 200, "of nobody"
        assert [await is_signed_in(client) for client in clients] == [True] * 4
        assert await found.sign_out(token(sub=None, sid="session-1", jti="a")) == 200
        assert [await is_signed_in(client) for client in clients] == [False, True, True, True]
        assert await found.sign_out(token(sid=None, jti="b")) == 200
        assert [await is_signed_in(client) for client in clients] == [False, False, True, False]
        ended = [row for row in await trail(connection) if row[1] != "sign in"]
        assert ended == [("desk", "sign out by the provider")] * 2

        await found.sign_in(first, sid="session-1")
        assert (await change_password(first, PASSWORD, "a password of my own")).status_code == 303
        assert await is_signed_in(first), "it is still the provider's"
        assert await found.sign_out(token(sub=None, jti="c")) == 200
        assert not await is_signed_in(first)
        for change in ("sid_sha256 = NULL", "sid_sha256 = sha256('another')"):
            await found.sign_in(first, sid="session-1")
            assert await is_signed_in(first)
            await connection.execute(f"UPDATE console.session SET {change}")
            assert not await is_signed_in(first), f"the provider's session is sealed: {change}"

        await found.sign_in(first)
        tokens = await connection.fetchval("SELECT count(*) FROM console.logout_token")
        found.provider.key = OTHER_KEY
        for forged in (token(), "x", "x" * 100_000):
            assert await found.sign_out(forged) == 400
        assert await is_signed_in(first)
        assert (await first.get(LOGOUT)).status_code == 405
        assert 429 in {await found.sign_out("x") for _ in range(70)}, "a peer has few tries"
        assert await connection.fetchval("SELECT count(*) FROM console.logout_token") == tokens


async def test_a_logout_token_counts_once(settings: Settings, connection: Connection) -> None:
    async with scene(settings, connection) as found, found.visitor() as client:
        await found.sign_in(client)
        token = found.provider.logout_token()
        assert sorted(await asyncio.gather(*(found.sign_out(token) for _ in range(3)))) == [200, 400, 400]
        await found.sign_in(client)
        assert await found.sign_out(token) == 400
        assert await is_signed_in(client)
        await connection.execute("UPDATE console.logout_token SET valid_until = now() - interval '1 minute'")
        await found.sign_out(found.provider.logout_token(jti="next"))
    assert await connection.fetchval("SELECT count(*) FROM console.logout_token") == 1, "what has ended is removed"
