"""Each change that a superuser without the log's key can make is found, at its first bad index, by a named command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

import orjson
import pytest

from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.proof.database_audit import catalog
from consumers.proof.database_audit.database import compare_database
from consumers.registrar.batch import Batch, Reading
from consumers.registrar.guards.continuation import write_checkpoint
from consumers.registrar.journal import Journal
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.errors import Tampered
from events.validation.verdicts import Agency
from infra.log.authority import TableDiffers
from infra.log.ports.postgres_port import PostgresPort
from infra.log.ports.tree import require_tree
from infra.log.reader import read_checked
from infra.log.signed_note import checkpoint_text, sign_note
from infra.postgres.connection import Connection
from infra.postgres.trail import Actor, add_to_trail
from infra.private_keys.key_files import load_or_create_keys, log_key_files, read_verifier
from infra.settings import Settings
from tests.oracle.history import MIXED, entries_from, generate
from tests.world.commands import yesser
from tests.world.logs import apply_live, open_journal
from tests.world.records import (
    HEALTH,
    PLATFORM,
    Record,
    in_batches,
    number_all,
    read,
    said,
    suspended,
    topic_of,
    values,
    withheld,
)

SEAL: Final = "INSERT INTO log.sealed_claims"
EMPTY: Final = "FROM generate_series(0, 255) AS p, decode(repeat('04000100', 16385), 'hex') AS d"
GUARDED: Final = ("segment", "node", "checkpoint", "event_id", "run", "duplicate", "refusal")


def readings() -> list[list[Reading]]:
    """A history in which every verdict occurs, as the registrar would read it: a batch of each forty records."""
    entries = [e for e in entries_from(generate(51, 400, MIXED)) if "registrar.refused" not in e["event"]["type"]]
    agencies: dict[str, Agency] = {"platform": PLATFORM}
    offsets: dict[str, int] = {}
    found: list[Reading] = []
    for entry in entries:
        event, code = entry["event"], entry["event"]["source"].rpartition(":")[2]
        if event["type"].endswith("agency-registered.v1"):
            agencies[event["data"]["code"]] = Agency(event["data"]["code"], event["data"]["role"])
        offset = offsets.get(code, 0)
        offsets[code] = offset + 1
        found.append(read(agencies[code], [Record(offset, orjson.dumps(event))]))
    more = [said("x1", sequence=1), b"{", said("x1", sequence=1), said("x1", "other"), said("x2", sequence=2)]
    found.append(read(HEALTH, values(*more, said("id is 1000000008"), said("x3", sequence=5), first=offsets["health"])))
    found.append(read(PLATFORM, values(suspended("health"), first=offsets["platform"])))
    return [found[at : at + 40] for at in range(0, len(found), 40)]


async def number(journal: Journal, batches: Sequence[Batch]) -> None:
    for batch in batches:
        for topic in batch.positions:
            await journal.start_topic(topic)
        await journal.commit(batch)


@pytest.fixture
async def whole(settings: Settings, connection: Connection) -> int:
    """A log as the registrar writes it, signed, applied by the projections and the ledger; its size."""
    journal = await open_journal(connection, settings)
    batches = in_batches(readings())
    (index, text), *_ = [text for batch in batches for text in batch.texts]
    first = batches[-1].positions[topic_of(PLATFORM)][0]
    reading = read(PLATFORM, values(withheld(index, text.member), first=first))
    await number(journal, [*batches, number_all([reading], {}, batches[-1].size)])
    key = load_or_create_keys(log_key_files(settings)).current
    note = sign_note(checkpoint_text(key.name, journal.size, journal.tree.root()), [key])
    write_checkpoint(settings.log_folder, note)
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", journal.size, note)
    raw = await read_checked(connection, 0, journal.size)
    for consumer in (PROJECTIONS, REVENUE):
        await apply_live(connection, consumer, raw)
    for table in GUARDED:
        await connection.execute(f"ALTER TABLE log.{table} DISABLE TRIGGER append_only")
    await connection.execute("ALTER TABLE log.text DISABLE TRIGGER USER")
    return journal.size


async def told_by_verify(connection: Connection, settings: Settings) -> str:
    """What `yesser audit verify --database` says, on a connection whose changes are not committed."""
    signed = int((settings.log_folder / "checkpoint").read_text().split("\n")[1])
    try:
        await compare_database(connection, signed, lambda done, total: None)
        port = PostgresPort(connection, read_verifier(settings, None))
        checkpoint = await port.checkpoint()
        await require_tree(port, checkpoint.size, checkpoint.root)
    except Tampered as error:
        return str(error)
    return "equal"


IN_TABLES: Final[dict[str, tuple[str, str]]] = {
    "an entry": (
        "UPDATE log.segment SET entries = overlay(entries PLACING 'X'::bytea FROM 40) WHERE first_index = 0",
        "entry 0 of the log was changed",
    ),
    "an entry with its leaf": (
        "UPDATE log.segment SET entries = overlay(entries PLACING 'X'::bytea FROM 3), leaves = overlay(leaves PLACING"
        " sha256('\\x0058'::bytea || substring(entries FROM 4 FOR get_byte(entries, 0) * 256 + get_byte(entries, 1)"
        " - 1)) FROM 1) WHERE first_index = 0",
        "entry 0 of the log was changed .*together with its leaf hash",
    ),
    "a leaf": (
        "UPDATE log.segment SET leaves = overlay(leaves PLACING '\\x00000000'::bytea FROM 161) WHERE first_index = 0",
        "entry 5 of the log was changed",
    ),
    "a node": ("UPDATE log.node SET hash = sha256(hash) WHERE level = 1 AND node_index = 0", "hash 0 of level 1"),
    "the last segments deleted": (
        "DELETE FROM log.segment WHERE first_index >= 200",
        "log.state, size: the table has {size}, the log gives 200 at index 200",
    ),
    "the last segments deleted, with the size": (
        "DELETE FROM log.segment WHERE first_index >= 200; UPDATE log.state SET size = 200",
        'log.state, size: the table has 200, the log gives "{size} or more',
    ),
    "a segment in between deleted": (
        "DELETE FROM log.segment WHERE first_index = 80",
        "log.segment, first_index 120: the table has 120, the log gives 80 at index 80",
    ),
    "an id deleted": ("DELETE FROM log.event_id WHERE index = 30", "log.event_id, index 30: the table has no row"),
    "an id changed": ("UPDATE log.event_id SET identity = sha256(identity) WHERE index = 31", "log.event_id, index 31"),
    "an id at another index": ("UPDATE log.event_id SET index = 90 WHERE index = 32", "log.event_id, index 32"),
    "an id added": (
        "INSERT INTO log.event_id VALUES (sha256('x'), sha256('y'), 33)",
        "log.event_id, index 33: .* at index 33",
    ),
    "an id beyond the log": (
        "INSERT INTO log.event_id VALUES (sha256('x'), sha256('y'), 99999)",
        "log.event_id, index 99999: .*, the log gives no row",
    ),
    "sealed claims that lack those of the log": (
        f"{SEAL} SELECT p, 0, 40, 0, sha256(set_byte('\\x00', 0, p) || int8send(0) || int8send(40) || d), d {EMPTY}",
        "log.sealed_claims, part .*: the table has no row, the log gives .*the claim",
    ),
    "sealed claims that the registrar did not write": (
        f"{SEAL} SELECT p, 0, 40, 0, sha256(d), d {EMPTY}",
        "log.sealed_claims, part 0: the table has .*another hash",
    ),
    "a run moved": (
        "UPDATE log.run SET first_offset = first_offset + 700000 WHERE first_index = 40",
        "log.run, index 40: .*at index 40",
    ),
    "a run deleted": ("DELETE FROM log.run WHERE first_index = 41", "log.run, index 41: the table has no row"),
    "a run lengthened": (
        "UPDATE log.run SET entries_count = entries_count + 1000000000000 WHERE first_index = (SELECT max(first_index)"
        " FROM log.run)",
        "log.run, index .*, the log gives no row at index {size}",
    ),
    "a refusal changed": (
        "UPDATE log.refusal SET errors = '[]' WHERE index = (SELECT min(index) FROM log.refusal)",
        "log.refusal, index {refused}: .* at index {refused}",
    ),
    "a refusal added": (
        "INSERT INTO log.refusal VALUES (3, 'health', 'agency.health.events/0/900', NULL, NULL, '[]')",
        "log.refusal, index 3: .* the log gives no row at index 3",
    ),
    "a dead letter changed": (
        "UPDATE log.dead_letter SET value = 'x' WHERE index = (SELECT min(index) FROM log.dead_letter)",
        "log.dead_letter, index {refused}: .* at index {refused}",
    ),
    "a duplicate of a refused record": (
        "UPDATE log.duplicate SET of_index = (SELECT min(index) FROM log.refusal)",
        "log.duplicate, agency.health.events/0/.* at index {refused}",
    ),
    "a duplicate where an entry is": (
        "INSERT INTO log.duplicate VALUES ('agency.yesser.events', 0, 5)",
        "log.duplicate, agency.yesser.events/0/0: .* at index 5",
    ),
    "a text changed": (
        """UPDATE log.text SET value = '{"ar":"x","en":"x"}' WHERE index = {text}""",
        "log.text, index {text}: .* at index {text}",
    ),
    "a text deleted": ("DELETE FROM log.text WHERE index = {text}", "log.text, index {text}: the table has no row"),
    "a text added": (
        "INSERT INTO log.text VALUES (3, 'reason', sha256('x'), substring(sha256('y') FOR 16), '{}')",
        "log.text, index 3: .* the log gives no row at index 3",
    ),
    "a text withheld without an entry": (
        "UPDATE log.text SET salt = NULL, withheld_index = 9 WHERE index = {text}",
        "log.text, withheld texts: the table has 2, the log gives 1",
    ),
    "a withheld text that is back": (
        """UPDATE log.text SET value = '{"ar":"x","en":"x"}' WHERE index = {withheld}""",
        "log.text, index {withheld}, .*: .*withheld by entry {last}",
    ),
    "a position moved on": (
        "UPDATE log.read_position SET next_offset = next_offset + 3 WHERE topic = 'agency.yesser.events'",
        "log.read_position, agency.yesser.events: the table has",
    ),
    "a position deleted": (
        "DELETE FROM log.read_position WHERE topic = 'agency.yesser.events'",
        "log.read_position, agency.yesser.events: the table has no row",
    ),
    "a sequence number removed": (
        "UPDATE log.sequence_state SET accepted = accepted - '{[2,3)}'::nummultirange WHERE agency = 'health'",
        "log.sequence_state, health",
    ),
    "the highest number raised": (
        "UPDATE log.sequence_state SET highest = 900 WHERE agency = 'health'",
        "log.sequence_state, health: .*highest 900",
    ),
    "the highest number of all tables removed": (
        "UPDATE log.sequence_state SET highest = NULL WHERE agency = 'health';"
        " DELETE FROM log.sequence_month WHERE agency = 'health'",
        "log.sequence_state, health: .*highest None",
    ),
    "a token without a seal": (
        "INSERT INTO platform.token (key_id, kind, holder, scopes, keyed_hash, expires_at)"
        " VALUES ('forged', 'agency', 'health', '{events:write}', sha256('x'), now() + interval '1 day')",
        "platform.token, forged: .*`yesser tokens seal`",
    ),
    "a role": (
        "UPDATE platform.agency SET role = 'office' WHERE code = 'health'",
        'platform.agency, health: .*"office".*"agency".* at index {health}',
    ),
    "an agency added": (
        "INSERT INTO platform.agency VALUES ('spy', 'office', '{}', 3)",
        "platform.agency, spy: .* the log gives no row at index 3",
    ),
    "a suspension deleted": (
        "DELETE FROM platform.suspension",
        "platform.suspension, health: the table has no row, .* at index {suspended}",
    ),
    "a suspension that was never requested": (
        "INSERT INTO platform.suspension (agency, reason, since) VALUES ('labour', '{}', now() + interval '1 day')",
        "platform.suspension, labour",
    ),
    "a consumer's position": (
        "UPDATE platform.position SET position = 99999 WHERE consumer = 'revenue'",
        "platform.position, revenue: the table has 99999",
    ),
    "a checkpoint": (
        "INSERT INTO log.checkpoint (size, note) SELECT 7, note FROM log.checkpoint",
        "log.checkpoint, size 7: .* at index 6",
    ),
    "the last recorded time": (
        "UPDATE log.state SET recorded = '2030-01-01T00:00:00.000000Z'",
        "log.state, recorded: the table has",
    ),
}


async def test_each_change_of_a_table_is_found_at_its_first_bad_index(
    settings: Settings, connection: Connection, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {
        "size": whole,
        "last": whole - 1,
        "refused": await connection.fetchval("SELECT min(index) FROM log.refusal"),
        "health": await connection.fetchval("SELECT registered_index FROM platform.agency WHERE code = 'health'"),
        "suspended": await connection.fetchval("SELECT index FROM platform.suspension"),
        "text": await connection.fetchval("SELECT min(index) FROM log.text WHERE salt IS NOT NULL"),
        "withheld": await connection.fetchval("SELECT index FROM log.text WHERE salt IS NULL"),
    }
    for name, (change, words) in {"nothing": ("SELECT 1", "^equal$"), **IN_TABLES}.items():
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(re.sub(r"\{(text|withheld)\}", lambda name: str(named[name[1]]), change))
        told = await told_by_verify(connection, settings)
        await transaction.rollback()
        assert re.search(words.format(**named), told), (name, told)

    due = await catalog.listing(connection)  # with what this test has disabled
    monkeypatch.setattr(catalog, "expected", lambda: due)
    verify = partial(yesser, settings, "audit", "verify", "--database", "--json")
    await add_to_trail(connection, "keys rotate", by=Actor())
    good = await verify()
    assert good.exit_code == 0, good.output
    document = orjson.loads(good.stdout)
    assert (document["ok"], document["database"]["entries"]) == (True, whole)
    assert document["database"]["rows"]["log.event_id"] + document["database"]["rows"]["log.refusal"] == whole
    assert document["database"]["rows"]["platform.trail"] == 1
    await connection.execute(
        "SET session_replication_role = replica; UPDATE platform.trail SET command = 'keys export'"
    )
    difference = orjson.loads((await verify()).stdout)["difference"]
    assert (difference["table"], difference["found"]["command"]) == ("platform.trail", "keys export")
    await connection.execute("RESET session_replication_role")
    await connection.execute("DELETE FROM log.event_id WHERE index = 30")
    bad = await verify()
    assert isinstance(bad.exception, TableDiffers)
    difference = orjson.loads(bad.stdout)["difference"]
    assert (difference["table"], difference["index"], difference["found"]) == ("log.event_id", 30, None)
