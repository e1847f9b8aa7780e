"""The outbox of an agency: its transaction and its event stand or fall together, and the order of a subject is kept."""

from __future__ import annotations

import asyncio
import re
import runpy
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import orjson
import pytest

from events.errors import YesserError
from events.validation.verdicts import Agency
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.register import provision
from producers.outbox import outbox
from producers.outbox.outbox import read_status
from producers.outbox.relay import Faults, OutboxRelay, Send, Sender
from producers.sdk.typed_events import FaultyEvent
from tests.every import every
from tests.integration.producers.outbox.agency_database import (
    Commit,
    Writers,
    disorder,
    one_connection,
    with_outbox,
)
from tests.paths import ROOT
from tests.stack import superusers_address
from tests.world.commands import Yesser
from tests.world.registrars import found, log_of, registrar, terminate, until_size
from tests.world.senders import announced
from tests.world.topics import HEALTH_TOPIC, make_topics, records
from tests.world.waits import running, until

HEALTH = Agency("health", "agency")
EXAMPLE = ROOT / "docs" / "examples" / "outbox.py"


@pytest.fixture
async def agencys(settings: Settings) -> Settings:
    """Settings of an agency that has an outbox; for speed in this test's one database."""
    return await with_outbox(settings, superusers_address(settings))


@pytest.fixture
async def own(agencys: Settings) -> AsyncIterator[Connection]:
    """A connection of the agency's application to its own database."""
    async with one_connection(agencys) as connection:
        yield connection


@pytest.fixture
async def other(agencys: Settings) -> AsyncIterator[Connection]:
    """Another one."""
    async with one_connection(agencys) as connection:
        yield connection


@asynccontextmanager
async def relaying(settings: Settings, **given: Any) -> AsyncIterator[None]:
    """A relay at work, with the topic it writes into."""
    await make_topics(settings, "health")
    await provision(settings, ["health"])
    async with running(OutboxRelay(settings, HEALTH, **given)):
        yield


def sending(send: Send) -> Sender:
    """A sender that sends by this function."""

    @asynccontextmanager
    async def sender(*_: object) -> AsyncIterator[Send]:
        yield send

    return sender


async def until_sent(connection: Connection, count: int) -> None:
    async def sent() -> bool:
        return bool(
            await connection.fetchval("SELECT count(*) = $1 FROM yesser.outbox WHERE sent_at IS NOT NULL", count)
        )

    await until(sent, f"{count} events are sent")


async def ids(settings: Settings) -> list[str]:
    """Ids of what is in the agency's topic."""
    return [orjson.loads(record.value)["id"] for record in await records(settings, HEALTH_TOPIC)]


async def insert(connection: Connection, *events: bytes) -> None:
    """As an application in another language does, which validates nothing."""
    statement = "INSERT INTO yesser.outbox (event) VALUES ($1)"
    await connection.executemany(statement, [(event.decode(),) for event in events])


async def numbered(connection: Connection) -> list[str]:
    """The events of the outbox in the order of their numbers."""
    rows = await connection.fetch("SELECT event_id FROM yesser.outbox ORDER BY row_id")
    return [row["event_id"] for row in rows]


def commands(agencys: Settings) -> Yesser:
    return Yesser({"YESSER_OUTBOX_POSTGRES": agencys.outbox_postgres or ""})


async def status_of(agencys: Settings) -> str:
    return await commands(agencys).output("outbox", "status", "--lang", "en")


async def blocked(connection: Connection, waiting: Connection) -> bool:
    """Whether `waiting` waits for a lock of `connection`; asked on `connection`, which is free."""
    holders = await connection.fetchval("SELECT pg_blocking_pids($1)", waiting.get_server_pid())
    return connection.get_server_pid() in holders


async def test_an_event_leaves_with_its_transaction(agencys: Settings, own: Connection, other: Connection) -> None:
    await own.execute("CREATE TABLE initiative (id text); CREATE TABLE service (id text, launched_on text)")
    await own.execute("INSERT INTO service VALUES ('S-1', NULL)")
    async with relaying(agencys):
        transaction = own.transaction()
        await transaction.start()
        await own.execute("INSERT INTO initiative VALUES ('never')")
        await outbox.add(own, announced("never"))
        await transaction.rollback()
        async with own.transaction():
            await own.execute("INSERT INTO initiative VALUES ('I-1')")
            await outbox.add(own, announced("one"), announced("two"))
        await until_sent(own, 2)

        # A lower number that commits later is sent later, and holds nobody up.
        transaction = own.transaction()
        await transaction.start()
        await outbox.add(own, announced("late", "I-1"))
        await outbox.add(other, announced("early", "I-2"))
        await until_sent(other, 3)
        await transaction.commit()
        await until_sent(other, 4)

        assert await terminate(agencys, "outbox%") == 2, "the relay's sessions"
        await runpy.run_path(str(EXAMPLE))["launch"](own, "S-1", "2006-05-01")
        await until_sent(own, 5)
    assert [row["id"] for row in await own.fetch("SELECT id FROM initiative")] == ["I-1"]
    assert await own.fetchval("SELECT launched_on FROM service") == "2006-05-01"
    sent = await records(agencys, HEALTH_TOPIC)
    assert [record.value for record in sent[:2]] == [announced("one"), announced("two")]
    assert {dict(record.headers)["content-type"][:28] for record in sent} == {b"application/cloudevents+json"}
    assert (await ids(agencys))[2:4] == ["early", "late"]
    assert orjson.loads(sent[4].value)["subject"] == "service/S-1"
    rows = await own.fetch("SELECT event_id, address FROM yesser.outbox ORDER BY row_id")
    assert [row["event_id"] for row in rows[:4]] == ["one", "two", "late", "early"]
    assert [row["address"] for row in rows] == [f"agency.health.events/0/{offset}" for offset in (0, 1, 3, 2, 4)]


async def test_of_two_transactions_on_a_subject_the_second_waits(own: Connection, other: Connection) -> None:
    first, second = own.transaction(), other.transaction()
    await first.start()
    await second.start()
    await outbox.add(own, announced("first"))
    adding = asyncio.create_task(outbox.add(other, announced("second")))
    await until(lambda: blocked(own, other), "the second one waits")
    await outbox.add(own, announced("first-again"))
    await first.commit()
    await adding
    await second.commit()
    assert await numbered(own) == ["first", "first-again", "second"]

    third = own.transaction()
    await third.start()
    await outbox.add(own, announced("third"))
    adding = asyncio.create_task(outbox.add(other, announced("fourth")))
    await until(lambda: blocked(own, other), "the fourth one waits")
    await third.rollback()
    await adding
    assert (await numbered(own))[3:] == ["fourth"], "the lock is let go with a rollback"

    # The control: with numbers as they are usually drawn, without the lock, the later commit would be sent first.
    await own.execute(
        "TRUNCATE yesser.outbox; ALTER TABLE yesser.outbox DISABLE TRIGGER number, ALTER added_at SET DEFAULT now(),"
        " ALTER row_id SET DEFAULT nextval('yesser.outbox_row_id')"
    )
    clock = asyncio.get_running_loop().time
    late = own.transaction()
    await late.start()
    await outbox.add(own, announced("late"))
    times = [clock()]
    await outbox.add(other, announced("early"))
    times.append(clock())
    await late.commit()
    commits = [Commit([("I-1", "early")], times[0], times[1]), Commit([("I-1", "late")], clock(), clock())]
    assert disorder(commits, [("I-1", name) for name in await numbered(own)]) == ["late stands before early of I-1"]


async def test_committed_events_are_logged_in_order(agencys: Settings, connection: Connection, own: Connection) -> None:
    await found(agencys, "health")
    await provision(agencys, ["health"])
    writers = Writers(agencys, seed=1)
    async with running(registrar(agencys)):
        async with running(OutboxRelay(agencys, HEALTH)):
            await writers.run(6, 40)
            written = sum(len(commit.events) for commit in writers.commits)
            await until_sent(own, written)
        # As after kill -9 between Kafka's acknowledgement and the note of it.
        await own.execute("UPDATE yesser.outbox SET sent_at = NULL, address = NULL")
        async with running(OutboxRelay(agencys, HEALTH)):
            await until_sent(own, written)
            await outbox.add(own, announced("last", "I-last"))
            await until_sent(own, written + 1)
        await until_size(connection, 3 + written + 1)
    values = [record.value for record in await records(agencys, HEALTH_TOPIC)]
    assert Counter(values[:written]) == Counter(values[written:-1]), "the same bytes"
    logged = [entry for entry in await log_of(connection) if entry.agency == "health"]
    assert logged.pop().id == "last"
    assert disorder(writers.commits, [(e.subject.removeprefix("initiative/"), e.id) for e in logged]) == []


def faulty(event_id: str, faults_count: int) -> bytes:
    """An event with so many faults of form."""
    event = orjson.loads(announced(event_id, f"I-{event_id}"))
    return orjson.dumps(event | {"data": event["data"] | {f"extra_{number}": 1 for number in range(faults_count)}})


async def faults_of_rows(connection: Connection) -> dict[str, list[str]]:
    """The refused events and the places of their faults, in their order."""
    rows = await connection.fetch("SELECT event_id, faults FROM yesser.outbox WHERE faults IS NOT NULL ORDER BY row_id")
    return {row["event_id"]: [fault["pointer"] for fault in orjson.loads(row["faults"])] for row in rows}


FAULTS_OF_ROWS = ((1,), (1, 1), (1, 2), (2, 2), (2, 1, 3), (0, 40))
"""Batches, by the number of faults of each row."""


async def test_a_refused_row_keeps_its_faults_and_the_others_go_on(agencys: Settings, own: Connection) -> None:
    # Rows whose faults an earlier version mixed up are judged again, and not sent.
    await own.execute("ALTER TABLE yesser.outbox DISABLE TRIGGER number, ALTER added_at SET DEFAULT now()")
    mixed = '{"code": "unknown-field", "pointer": "/data/of_another", "detail": "Unknown."}'
    insert_mixed = "INSERT INTO yesser.outbox (row_id, event, faults) VALUES (nextval('yesser.outbox_row_id'), $1, $2)"
    for event in (faulty("e0", 2), faulty("e1", 1), announced("by-a-gateway", "I-2")):
        await own.execute(insert_mixed, event.decode(), mixed)
    await own.execute("ALTER TABLE yesser.outbox ENABLE TRIGGER number")
    assert (await status_of(agencys)).count("unknown-field at /data/of_another: Unknown.") == 3
    await insert(own, announced("foreign", "I-3").replace(b"agency:health", b"agency:labour"), announced("good", "I-3"))
    async with relaying(agencys):
        await until_sent(own, 1)
        faults = await faults_of_rows(own)
        assert faults.pop("foreign") == ["/source"]
        assert faults == {
            "e0": ["/data/extra_0", "/data/extra_1"],
            "e1": ["/data/extra_0"],
            "by-a-gateway": ["/data/of_another"],
        }
        status = await read_status(own, agencys)
        assert (status.waiting, status.refused, status.last_sent and status.last_sent.id) == (0, 4, "good")
        assert status.refused_last[0].id == "foreign"
        await outbox.add(own, announced("foreign"))  # corrected, under the same id
        await until_sent(own, 2)
        for counts in FAULTS_OF_ROWS:
            async with own.transaction():
                await own.execute("TRUNCATE yesser.outbox")
                await insert(own, *(faulty(f"e{number}", count) for number, count in enumerate(counts)))
                await outbox.add(own, announced("good"))
            await until_sent(own, 1 + counts.count(0))
            refused = {
                f"e{number}": sorted(f"/data/extra_{extra}" for extra in range(count))
                for number, count in enumerate(counts)
                if count
            }
            assert await faults_of_rows(own) == refused, "each its own"
            listed = [line.split(": ")[:2] for line in (await status_of(agencys)).splitlines() if line.startswith("  ")]
            expected = [(name, pointer) for name, places in reversed(refused.items()) for pointer in places]
            assert listed == [[f"  {name}", f"unknown-field at {pointer}"] for name, pointer in expected]
    assert await own.fetchval("SELECT epoch FROM yesser.outbox_lease") == 1, "the relay began again"
    assert (await ids(agencys))[:2] == ["good", "foreign"]


async def test_faults_that_a_gateway_gives_are_kept_with_any_text(agencys: Settings, own: Connection) -> None:
    answers: dict[str, str | Faults] = {
        "none": [],
        "nul": [{"code": "invalid-value", "pointer": "/data", "detail": "\0 is not allowed"}],
        "good": "agency.health.events/0/7",
    }

    async def send(events: Sequence[bytes]) -> list[str | Faults]:
        return [answers[orjson.loads(event)["id"]] for event in events]

    async with own.transaction():
        await outbox.add(own, *(announced(name, f"I-{name}") for name in answers))
    async with running(OutboxRelay(agencys, HEALTH, sender=sending(send))):
        await until_sent(own, 1)
    status = await status_of(agencys)
    assert "2 would be refused and are not sent:\n" in status
    assert "  nul: invalid-value at /data: \ufffd is not allowed\n" in status
    assert "  none: no fault is recorded; " in status


async def test_what_is_sent_is_on_the_agencys_disk(agencys: Settings, own: Connection, other: Connection) -> None:
    """Else a crash could take back a transaction whose event was sent."""
    on_disk: list[bool] = []

    async def send(events: Sequence[bytes]) -> list[str | Faults]:
        ends = "SELECT pg_current_wal_flush_lsn() >= max(ends::pg_lsn) FROM committed"
        on_disk.append(await other.fetchval(ends))
        return [f"topic/0/{len(on_disk)}" for _ in events]

    await own.execute("CREATE TABLE committed (ends text)")
    await own.execute("SET synchronous_commit = off")
    async with running(OutboxRelay(agencys, HEALTH, sender=sending(send))):
        for number in range(5):
            async with own.transaction():
                await outbox.add(own, announced(f"one-{number}"))
                await own.execute("INSERT INTO committed SELECT pg_current_wal_insert_lsn()::text")
            await until_sent(own, number + 1)
    assert on_disk == [True] * 5


async def test_a_second_relay_takes_over_and_sent_events_are_forgotten(agencys: Settings, own: Connection) -> None:
    await make_topics(agencys, "health")
    await provision(agencys, ["health"])
    relays = [OutboxRelay(agencys, HEALTH, forget_rows_max=2) for _ in range(2)]

    def roles() -> list[str]:
        return sorted(str(relay.readiness().details["role"]) for relay in relays)

    async with running(*relays) as stops:
        await until(lambda: roles() == ["active", "standby"], "one works")
        working = next(n for n, relay in enumerate(relays) if relay.readiness().details["role"] == "active")
        await outbox.add(own, *(announced(f"old-{number}") for number in range(5)))
        await until_sent(own, 5)
        await own.execute("UPDATE yesser.outbox SET sent_at = sent_at - interval '8 days'")
        stops[working].set()
        await outbox.add(own, announced("new"))

        async def only_the_new_one_is_kept() -> bool:
            return await numbered(own) == ["new"]

        await until(only_the_new_one_is_kept, "the old ones are forgotten, chunk after chunk without a pause")
        await until_sent(own, 1)
        assert relays[1 - working].readiness().details["role"] == "active"
        assert await works(own, agencys)
    assert not await works(own, agencys)
    assert await ids(agencys) == [*(f"old-{number}" for number in range(5)), "new"]


async def works(connection: Connection, settings: Settings) -> bool:
    relay = (await read_status(connection, settings)).relay
    return relay is not None and relay.works


async def test_the_command_makes_the_outbox_once_and_says_what_is_in_it(agencys: Settings, own: Connection) -> None:
    async def read(command: str) -> Any:
        return await commands(agencys).document("outbox", command)

    await provision(agencys, ["health"])
    await own.execute("DROP SCHEMA yesser CASCADE")
    with pytest.raises(outbox.NoOutbox, match="yesser outbox install"):
        await OutboxRelay(agencys, HEALTH).run(asyncio.Event())
    assert (await read("install")) == {"made": True}
    assert (await read("install")) == {"made": False}
    assert "CREATE TABLE yesser.outbox" in (await read("schema"))["sql"]

    for wrong, error, words in (
        (outbox.add(own, b"not json"), FaultyEvent, "not-json"),
        (outbox.add(own, announced("one").replace(b"agency:health", b"company:acme")), FaultyEvent, "at /source"),
        (insert(own, b"{}"), asyncpg.RaiseError, "a JSON object with an id and a subject"),
        (insert(own, b"not json"), asyncpg.InvalidTextRepresentationError, "invalid input syntax for type json"),
    ):
        with pytest.raises(error, match=words):
            await wrong
    assert (await read_status(own, agencys)).waiting == 0

    await outbox.add(own, announced("one"))
    with pytest.raises(asyncpg.RaiseError, match="cannot be changed"):
        await own.execute("UPDATE yesser.outbox SET event = '{}'")
    with pytest.raises(asyncpg.UniqueViolationError):
        await outbox.add(own, announced("one", "I-2"))
    status = await read("status")
    assert (status["waiting"], status["oldest"]["id"], status["relay"]) == (1, "one", None)
    await outbox.add(own, announced("two"))
    await own.execute("""UPDATE yesser.outbox SET faults = '[{"code": "c", "pointer": "/p", "detail": "d"}]'
        WHERE event_id = 'two'""")
    lines = (await status_of(agencys)).splitlines()
    assert lines[0] == "1 waiting."
    assert re.fullmatch(r"The oldest has waited for \d+ s \(one\)\.", lines[1])
    assert lines[2:] == [
        "No relay is running: start `yesser outbox run`.",
        "1 would be refused and are not sent:",
        "  two: c at /p: d",
    ]


@every(
    ("port", "words", "code"),
    [
        ("1", "does not answer: check that it runs", ExitCode.TRY_AGAIN),
        ("none", "is not a PostgreSQL address", ExitCode.ANSWER_IS_NO),
    ],
)
async def test_a_database_that_cannot_be_asked_gives_a_sentence(port: str, words: str, code: ExitCode) -> None:
    nowhere = Settings(outbox_postgres=f"postgresql://outbox:hidden@127.0.0.1:{port}/services")
    result = await commands(nowhere).run("outbox", "status")
    assert isinstance(result.exception, YesserError), "the command line prints its text"
    assert words in str(result.exception)
    assert "hidden" not in result.output + str(result.exception)
    assert exit_code(result.exception) == code


async def test_relay_and_application_need_the_pages_rights_alone(agencys: Settings, own: Connection) -> None:
    page = (ROOT / "docs" / "outbox.md").read_text(encoding="utf-8")
    grants = page.split("```sql\n")[1].split("```")[0]
    assert grants.startswith("GRANT USAGE")
    names = {name: f"{name}_{secrets.token_hex(4)}" for name in ("application", "relay")}
    roles = ", ".join(names.values())
    for name, role in names.items():
        grants = re.sub(rf"(TO|,) {name}\b", rf"\1 {role}", grants)
        await own.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    try:
        await own.execute(grants)
        parts = urlsplit(agencys.outbox_postgres or "")
        server = f"{parts.hostname}:{parts.port}"
        login = {
            name: agencys.model_copy(
                update={"outbox_postgres": parts._replace(netloc=f"{role}:secret@{server}").geturl()}
            )
            for name, role in names.items()
        }
        async with one_connection(login["application"]) as application:
            await outbox.add(application, announced("by-its-own-role"))
            async with relaying(login["relay"]):
                await until_sent(own, 1)
        for name, statement in (
            ("application", "SELECT FROM yesser.outbox"),
            ("application", "DELETE FROM yesser.outbox"),
            ("application", "SELECT FROM yesser.outbox_lease"),
            ("relay", "INSERT INTO yesser.outbox (event) VALUES ('{}')"),
            ("relay", "UPDATE yesser.outbox SET event = '{}'"),
            ("relay", "TRUNCATE yesser.outbox"),
            ("relay", "ALTER TABLE yesser.outbox DISABLE TRIGGER stays"),
        ):
            async with one_connection(login[name]) as connection:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
    finally:
        await own.execute(f"DROP OWNED BY {roles}; DROP ROLE {roles}")
