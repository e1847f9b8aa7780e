"""Authority comes from the log: changed tables halt the registrar, suspensions follow their entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from consumers.registrar import journal, signer
from events.schema_tools.schema_documents import catalogue_sha256
from infra.log.authority import Adopted
from infra.log.bundle import split_bundle
from infra.log.key_history import KeyHistory
from infra.log.layout import TILE
from infra.log.merkle import leaf_hash
from infra.log.reader import log_size, read_tree
from infra.log.signed_note import LogKey
from infra.log.verified_authority import derive_authority
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_keys, log_key_files
from infra.settings import Settings
from tests.world.records import said, suspended
from tests.world.registrars import at_work, found, log_of, registrar, until_alarmed, until_size
from tests.world.topics import HEALTH_TOPIC, PLATFORM_TOPIC, send
from tests.world.waits import intervals, running, until


async def suspensions(connection: Connection) -> list[tuple[Any, ...]]:
    rows = await connection.fetch("SELECT agency, index, ends FROM platform.suspension ORDER BY agency")
    return [tuple(row) for row in rows]


CHANGES = (
    ("UPDATE platform.agency SET role = 'office' WHERE code = 'health'", 'health: .*"office".*"agency".* index 2'),
    ("DELETE FROM platform.agency WHERE code = 'health'", "health: the table has no row.* index 2"),
    ("INSERT INTO platform.agency VALUES ('spy', 'office', '{}', 1)", "spy: .*the log gives no row"),
    ("INSERT INTO platform.suspension (agency, reason, index) VALUES ('health', '{}', 1)", "suspension, health"),
)


async def test_a_changed_row_alarms_a_registrar_and_halts_the_next(settings: Settings, connection: Connection) -> None:
    async with at_work(settings, connection, "health") as working:
        right = [tuple(row) for row in await connection.fetch("SELECT * FROM platform.agency")]
        for change, words in CHANGES:
            await put_back(connection, right, change)
            await until_alarmed(working, words)
        await put_back(connection, right, CHANGES[0][0])
        # It goes on, by the role that the log gave.
        await send(settings, HEALTH_TOPIC, said("a"), said("b").replace(b"awareness.initiative", b"plan"))
        await until_size(connection, 5)
        assert [entry.type for entry in await log_of(connection)][4] == "registrar.refused"
    after = registrar(settings)
    async with running(after):
        for change, words in CHANGES:
            await put_back(connection, right, change)
            await until_alarmed(after, words)
        await send(settings, HEALTH_TOPIC, said("c"))
        await intervals(settings.halted_retry_ms)
        assert await log_size(connection) == 5
        # The remedy. The registrar goes on by itself.
        await put_back(connection, right)
        await until_size(connection, 6)


async def put_back(connection: Connection, agencies: Sequence[tuple[Any, ...]], *changes: str) -> None:
    """The rows as the log has them, but for the changes."""
    async with connection.transaction():
        await connection.execute("DELETE FROM platform.suspension")
        await connection.execute("DELETE FROM platform.agency")
        await connection.executemany("INSERT INTO platform.agency VALUES ($1, $2, $3, $4)", agencies)
        for change in changes:
            await connection.execute(change)


async def test_suspensions_follow_their_entries_and_an_earlier_end_does_not_end_a_later_request(
    settings: Settings, connection: Connection
) -> None:
    async with at_work(settings, connection, "health"):
        await send(settings, PLATFORM_TOPIC, suspended("health"))
        await until_size(connection, 4)
        assert await suspensions(connection) == [("health", 3, False)]
        await send(settings, HEALTH_TOPIC, said("a"))
        await until_size(connection, 5)
        await send(settings, PLATFORM_TOPIC, suspended("health", "resumed"))
        await until_size(connection, 6)
        assert await suspensions(connection) == []
        request = "INSERT INTO platform.suspension (agency, reason, event_id) VALUES ('health', '{}', 'second')"
        await connection.execute(request)
        await send(settings, PLATFORM_TOPIC, suspended("health", id="first"), suspended("health", "resumed", "end"))
        await until_size(connection, 8)
        assert await suspensions(connection) == [("health", None, False)]
        await send(settings, PLATFORM_TOPIC, suspended("health", id="second"))
        await until_size(connection, 9)
        assert await suspensions(connection) == [("health", 8, False)]


OUTBOX = "SELECT event_id, value FROM platform.outbox ORDER BY row_id"


async def until_announced(connection: Connection, count: int) -> list[bytes]:
    announced = "SELECT count(*) = $1 FROM platform.outbox"
    await until(lambda: connection.fetchval(announced, count), f"catalogues are announced {count} times")
    return [row["value"] for row in await connection.fetch(OUTBOX)]


@contextmanager
def another_catalogue() -> Iterator[bytes]:
    """Registrars of another release; gives the hash of its catalogue."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "catalogue_sha256", lambda: "b" * 64)
        yield b"b" * 64


async def test_a_new_log_begins_with_the_catalogue_of_its_first_registrar_and_announces_only_another(
    settings: Settings, connection: Connection
) -> None:
    async with at_work(settings, connection, "health"):
        assert await connection.fetch(OUTBOX) == []
    with another_catalogue() as sha256:
        async with running(registrar(settings)):
            [another] = await until_announced(connection, 1)
    assert sha256 in another
    # As in a log of an earlier release.
    await connection.execute("ALTER TABLE log.authority DISABLE TRIGGER append_only")
    await connection.execute("DELETE FROM log.authority")
    async with running(registrar(settings)):
        _, own = await until_announced(connection, 2)
    assert catalogue_sha256().encode() in own
    with another_catalogue():
        async with running(registrar(settings)):  # not registered yet: the same bytes again
            assert await until_announced(connection, 3) == [another, own, another]
            await send(settings, PLATFORM_TOPIC, another, another)
            await until_size(connection, 4)
        async with running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, said("b"))
            await until_size(connection, 5)
    await until_announced(connection, 3)


async def test_a_take_over_reads_only_what_follows_the_last_note_and_an_old_entry_changed_with_its_leaf_halts_it(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leaves of full bundles are not part of the tree's right edge: only the entries show a change."""
    monkeypatch.setattr(signer, "KEPT_EVERY", 1)
    await found(settings, "health")
    size = 3 + TILE
    async with running(registrar(settings)):
        await send(settings, HEALTH_TOPIC, *(said(f"e{number}") for number in range(TILE)))
        await until_size(connection, size)
        await until(lambda: connection.fetchval("SELECT max(size) = $1 FROM log.authority", size), "a note is kept")
    history = load_keys(log_key_files(settings)).history
    another = KeyHistory((LogKey(history.current.name, b"x" * 32).verifier,))
    tree = await read_tree(connection, size)
    whole, read_from = await derive_authority(connection, another, tree, None)
    assert (read_from, list(whole.agencies), whole.catalogue) == (0, ["platform", "yesser", "health"], None)
    authority, read_from = await derive_authority(connection, history, tree, None)
    assert (read_from, authority.agencies) == (size, whole.agencies)
    assert authority.catalogue == Adopted(catalogue_sha256(), 0)
    # A forged note, newer than the others, is not believed.
    await connection.execute("ALTER TABLE log.authority DISABLE TRIGGER append_only")
    await connection.execute("UPDATE log.authority SET note = replace(note, 'agency', 'office') WHERE size = $1", size)
    authority, read_from = await derive_authority(connection, history, tree, None)
    assert (read_from < size, authority.agencies) == (True, whole.agencies)

    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute("DELETE FROM log.authority")
    [segment] = await connection.fetch("SELECT * FROM log.segment WHERE first_index <= 2 ORDER BY 1 DESC LIMIT 1")
    entries = segment["entries"].replace(b'"code":"health"', b'"code":"labour"')
    leaves = b"".join(map(leaf_hash, split_bundle(entries)))
    change = "UPDATE log.segment SET entries = $2, leaves = $3 WHERE first_index = $1"
    await connection.execute(change, segment["first_index"], entries, leaves)
    working = registrar(settings)
    async with running(working):
        await until_alarmed(working, "do not give the root that was signed")
