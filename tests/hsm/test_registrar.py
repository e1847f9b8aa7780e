"""The registrar signs with a token, waits while it is away, and goes on by itself when it is back."""

from __future__ import annotations

import pytest

from infra.keys.rotation import register_log_key
from infra.log.reader import log_size
from infra.log.signed_note import parse_checkpoint
from infra.postgres.connection import Connection
from infra.private_keys.key_files import NextKey, load_keys, log_key_files, next_key, write_next
from infra.private_keys.token_key import is_in_file
from infra.settings import Settings
from tests.hsm.soft_hsm import SoftHsm
from tests.world.records import said
from tests.world.registrars import checkpoints, found, registrar, until_halted, until_signed, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running, until


@pytest.mark.timeout(120)
async def test_a_logs_key_moves_from_a_file_to_a_token_which_is_waited_for_while_it_is_away(
    settings: Settings, connection: Connection, hsm: SoftHsm
) -> None:
    settings = settings.model_copy(update={"checkpoint_interval_ms": 50})
    files = log_key_files(settings)
    await found(settings, "health")
    one = registrar(settings)
    async with running(one):
        await until_size(connection, 3)
        await until_signed(connection)
        first = load_keys(files).current.verifier
        register_log_key(files, hsm.make_key())
        prepared = next_key(files)
        assert prepared is not None
        write_next(files, NextKey(prepared.key, 7))
        await until(lambda: not is_in_file(load_keys(files).current), "the registrar rotated its key")
        await send(settings, HEALTH_TOPIC, said("a"))
        await until_size(connection, 4)
        await until_signed(connection)
        ring = load_keys(files)
        note = (await checkpoints(connection))[-1][1]
        assert parse_checkpoint(note, first).size == parse_checkpoint(note, ring.current.verifier).size == 4
        assert ring.history.parse_checkpoint(note).size == 4

        hsm.remove()
        await send(settings, HEALTH_TOPIC, said("b"))
        assert "the token log of" in await until_halted(one)
        assert "the token log of" in str(one.readiness().details["halted"])
        hsm.connect()

        async def ready() -> bool:
            return one.readiness().ready and await log_size(connection) == 5

        await until(ready, "the registrar goes on by itself", 30)
        await until_signed(connection)
    assert parse_checkpoint((await checkpoints(connection))[-1][1], ring.current.verifier).size == 5
