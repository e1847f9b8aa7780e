"""Rotations while a client sends: receipts of both keys verify, tokens of both are valid, nothing is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from infra.keys.database import tokens_by_key
from infra.keys.hash_keys import hash_key_files
from infra.keys.listing import list_keys
from infra.keys.rotation import prepare_gateway_key, rotate_gateway_key, rotate_hash_key
from infra.log.key_history import key_name, parse_history
from infra.log.receipt import receipt_is_genuine
from infra.postgres.connection import Connection
from infra.private_keys.key_files import gateway_key_files, load_keys
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.sdk.answers import Receipt
from producers.sdk.client import AgencyClient
from tests.world.events import encoded
from tests.world.senders import GatewayHarness, bearer, event, now, run_gateway
from tests.world.waits import until


@pytest.fixture
async def harness(settings: Settings, connection: Connection) -> AsyncIterator[GatewayHarness]:
    async with run_gateway(settings, connection, 0.1) as opened:
        yield opened


async def test_the_key_of_receipts_is_rotated_while_a_client_with_the_first_one_sends(harness: GatewayHarness) -> None:
    files = gateway_key_files(harness.settings)
    first = load_keys(files).current.verifier
    receipts: list[Receipt] = []
    address = str(harness.client.base_url)
    async with AgencyClient(address, harness.token.token, gateway_key=first.vkey) as client:

        async def sent(count: int) -> None:
            for _ in range(count):
                receipts.append(await client.send(encoded(event(len(receipts)))))

        await sent(3)
        prepare_gateway_key(files, 7, now())

        async def published() -> bool:
            return (await harness.get("/v1/keys")).text == load_keys(files).history.document()

        await until(published, "the next key is published")
        await sent(3)
        assert {receipt.signed["key"] for receipt in receipts} == {key_name(first)}, "it is only prepared"
        done = rotate_gateway_key(files, 7, now())

        async def signs() -> bool:
            await sent(1)
            return bool(receipts[-1].signed["key"] == done.new)

        await until(signs, "the new key signs")
    history = parse_history((await harness.get("/v1/keys")).text, first)
    assert (await harness.get("/v1/key")).text.strip() == history.current.vkey
    for receipt in receipts:
        signer = next(key for key in history.keys if key_name(key) == receipt.signed["key"])
        assert receipt_is_genuine(dict(receipt.signed), signer)


async def test_tokens_stay_valid_while_their_key_is_rotated(harness: GatewayHarness) -> None:
    settings, connection = harness.settings, harness.connection
    file = hash_key_files(settings).current
    text = file.read_text()
    file.unlink()
    await asyncio.sleep(0.5)
    assert (await harness.get("/v1/receipts?limit=1")).status_code == 200, "it goes on with the keys that it read"
    file.touch(0o600)
    file.write_text(text)
    done = rotate_hash_key(hash_key_files(settings), 7, now())
    made = await create_token(connection, hash_key(settings), TokenRequest("agency", "labour", 1))
    for headers in (bearer(made.token), bearer(harness.token.token)):
        assert (await harness.client.get("/v1/receipts?limit=1", headers=headers)).status_code == 200
    counted = await tokens_by_key(connection)
    assert counted == {done.old: 1, done.new: 1}
    rows = [row for row in list_keys(settings, now(), counted) if row.purpose == "tokens"]
    assert [(row.key, row.state, row.tokens) for row in rows] == [(done.new, "in use", 1), (done.old, "overlap", 1)]
    rotate_hash_key(hash_key_files(settings), 0, now())

    async def refused() -> bool:
        return (await harness.get("/v1/receipts?limit=1")).status_code == 401

    await until(refused, "without an overlap the tokens of earlier keys end")
