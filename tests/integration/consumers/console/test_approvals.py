"""What cannot be undone: refused to one person, done after two, once; and nobody approves it in the database."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest
from rich.console import Console

from consumers.console.process import count_alone
from consumers.relay.relay import Relay
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.embedded.status import read_second_person, stack_status
from infra.embedded.status_table import print_status
from infra.kafka.end_offsets import first_offset
from infra.keys.hash_keys import console_key_files, load_or_create_hash_keys
from infra.observability.telemetry import exposition
from infra.postgres.connection import Connection, Pool, connected
from infra.postgres.trail import trail_rows
from infra.settings import Settings
from producers.agencies.tokens import hash_key
from tests.world.commands import Yesser
from tests.world.consoles import SEALS, add_account, console, csrf_of, write_accounts_key
from tests.world.logs_with_texts import service_suspended
from tests.world.records import said
from tests.world.registrars import at_work, founded, registrar, until_size, until_topic_halted
from tests.world.senders import REGISTER
from tests.world.topics import HEALTH_TOPIC, drop_topic, make_topics, send
from tests.world.waits import running, until

SUSPEND: Final = ("agencies", "suspend", "health", "--reason", "a test")
ADD: Final = ("accounts", "add", "third", "--role", "administrator")
WITHHOLD: Final = (
    *("withheld", "propose", "3", "/data/reason", "--yes", "--reason-ar", "سبب", "--reason-en", "a test"),
    *("--legal-basis-ar", "نظام", "--legal-basis-en", "a law"),
)
NEWEST: Final = "SELECT * FROM console.approval ORDER BY approval_id DESC LIMIT 1"


@pytest.fixture
async def agencies(settings: Settings, connection: Connection) -> None:
    """The office and health."""
    write_accounts_key(settings)
    for code, role in (("yesser", "office"), ("health", "agency")):
        await connection.execute(REGISTER, code, role)


@pytest.fixture
async def administrators(connection: Connection, agencies: None) -> None:
    for name in ("first", "second"):
        await add_account(connection, name, "administrator")


async def refusal(yesser: Yesser, *words: str, **changes: str) -> str:
    """What a refused command says; its exit code is that of its error."""
    result = await yesser.run(*words, **changes)
    assert result.exception is not None, result.output
    assert exit_code(result.exception) == ExitCode.ANSWER_IS_NO
    return str(result.exception)


async def test_an_account_of_a_team_needs_the_team(agencies: None, yesser: Yesser) -> None:
    desk = ("accounts", "add", "press", "--role", "team", "--agency", "health", "--team", "press")
    assert "health has no open team press" in await refusal(yesser, *desk)
    assert "press" not in {row["username"] for row in await yesser.document("accounts", "list")}
    names = ("--name-ar", "المكتب", "--name-en", "Press", "--contact", "press@health.example")
    await yesser.document("teams", "add", "health", "press", *names)
    assert (await yesser.document(*desk))["team"] == "press"


Approve = Callable[[], Awaitable[None]]


@asynccontextmanager
async def two_people(settings: Settings, connection: Connection) -> AsyncIterator[Approve]:
    """Two administrators at the console, who confirm the newest request."""
    async with console(settings) as served, served.signed_in("first") as first, served.signed_in("second") as second:

        async def approve() -> None:
            request = await connection.fetchrow(NEWEST)
            assert request is not None
            for client in (first, second):
                assert await confirm(client, request["approval_id"]) == 303

        yield approve


@pytest.fixture
async def approve(settings: Settings, connection: Connection, administrators: None) -> AsyncIterator[Approve]:
    async with two_people(settings, connection) as approving:
        yield approving


async def confirm(client: httpx.AsyncClient, approval_id: int) -> int:
    given = {"csrf": await csrf_of(client)}
    return (await client.post(f"/approvals/{approval_id}/confirm", data=given)).status_code


async def trail(connection: Connection) -> list[tuple[Any, Any, str]]:
    return [(row["account"], row["operator"], row["command"]) async for row in trail_rows(connection)]


async def test_a_text_is_withheld_after_two_have_read_it(
    settings: Settings, connection: Connection, approve: Approve, yesser: Yesser
) -> None:
    await connection.execute("TRUNCATE platform.agency")  # the registrar registers them
    async with at_work(settings, connection, "health"), running(Relay(settings)):
        await send(settings, HEALTH_TOPIC, service_suspended("one", "Sara's <b>name</b>"))
        await until_size(connection, 4)
        assert "two people (withheld propose)" in await refusal(yesser, *WITHHOLD)
        async with console(settings) as served, served.signed_in("first") as client:
            page = (await client.get("/approvals")).text
            assert "Withhold a text of an entry" in page
            assert "Sara&#39;s &lt;b&gt;name&lt;/b&gt; is on leave" in page
            await approve()
            done = await yesser.document(*WITHHOLD)
            assert done["withheld_by"] == 4
            page = (await client.get("/approvals")).text
            assert "Sara" not in page
            assert "This text was withheld on" in page
    (row,) = await yesser.document("withheld", "list")
    assert (row["operator"], row["confirmed_by"]) == ("desk", ["first", "second"])


async def test_an_act_of_the_database_is_done_after_two_and_once(
    settings: Settings, connection: Connection, approve: Approve, yesser: Yesser
) -> None:
    refused = await refusal(yesser, *ADD)
    row = await connection.fetchrow(NEWEST)
    assert row is not None
    assert f"request {row['approval_id']} " in refused
    assert "/approvals" in refused
    assert (row["act"], row["role"], row["operator"]) == ("accounts add", "yesser_administrator", "desk")
    assert await refusal(yesser, *ADD) == refused, "the open request is found"
    await approve()
    another = await refusal(yesser, "accounts", "add", "fourth", "--role", "administrator")
    assert "two people" in another, "not for other arguments"
    await yesser.output(*ADD)
    used = "SELECT used_at FROM console.approval WHERE approval_id = $1"
    assert await connection.fetchval(used, row["approval_id"]) is not None
    again = "UPDATE console.approval SET used_at = NULL WHERE approval_id = $1"
    for name in ("administrator", "operator", "registrar"):
        async with connected(settings.acting_as(name), "test") as own:
            assert await own.execute(again, row["approval_id"]) == "UPDATE 0", "what was used stays"
    await connection.execute("DELETE FROM console.account WHERE username = 'third'")
    assert "two people" in await refusal(yesser, *ADD), "once"
    number = row["approval_id"]
    assert [found for found in await trail(connection) if str(number) in found[2] or "third" in found[2]] == [
        ("first", None, f"confirm {number} accounts add"),
        ("second", None, f"confirm {number} accounts add"),
        (None, "desk", f"accounts add approval {number}, confirmed by first and second"),
        (None, "desk", "accounts add third --role administrator"),
    ]

    # Nobody takes an account of the office, or an administrator's, alone.
    await add_account(connection, "office", "office")
    await add_account(connection, "health", "agency", "health")
    await connection.execute(REGISTER, "labour", "agency")
    alone: Final[tuple[tuple[str, ...], ...]] = (
        ("accounts", "password", "health"),
        ("accounts", "seal", "health", "--yes"),
        ("accounts", "disable", "health"),
        ("accounts", "enable", "health"),
        ("accounts", "disable", "office"),
        ("accounts", "add", "labour", "--role", "agency", "--agency", "labour"),
    )
    for command in (
        ("accounts", "add", "another", "--role", "office"),
        ("accounts", "password", "office"),
        ("accounts", "password", "first"),
        ("accounts", "seal", "health", "second", "--yes"),
        ("accounts", "disable", "second"),
    ):
        before = await connection.fetch("SELECT * FROM console.account ORDER BY username")
        assert f"two people ({command[0]} {command[1]})" in await refusal(yesser, *command)
        assert await connection.fetch("SELECT * FROM console.account ORDER BY username") == before
    for one in alone:
        await yesser.output(*one)
    assert "two people" in await refusal(yesser, "accounts", "enable", "office")
    await approve()
    await yesser.output("accounts", "enable", "office")
    await add_account(connection, "third", "administrator")
    await yesser.output("accounts", "disable", "third")

    subject = "UPDATE console.account SET oidc_subject = $1 WHERE username = 'office'"
    await connection.execute(subject, "right")
    seal = ("accounts", "seal", "office", "--yes")
    assert "two people" in await refusal(yesser, *seal)
    await approve()
    await connection.execute(subject, "stranger")
    assert "two people" in await refusal(yesser, *seal), "what they compared is what is sealed"
    await connection.execute(subject, "right")
    await yesser.output(*seal)


async def test_agencies_tokens_and_keys_are_replaced_by_two(
    settings: Settings, connection: Connection, approve: Approve, yesser: Yesser, tmp_path: Path
) -> None:
    hash_key(settings)
    await make_topics(settings, "health")
    for command, made in (
        (SUSPEND, "SELECT count(*) FROM platform.suspension"),
        (("tokens", "create", "yesser", "--kind", "office"), "SELECT count(*) FROM platform.token"),
        (("agencies", "rotate", "health"), None),
    ):
        assert "two people" in await refusal(yesser, *command), command
        assert made is None or await connection.fetchval(made) == 0
        await approve()
        await yesser.output(*command)
        assert made is None or await connection.fetchval(made) == 1
    await yesser.output(*SUSPEND)  # it is suspended: nothing is changed
    new = ("agencies", "add", "other-office", "--role", "office", "--name-ar", "مكتب", "--name-en", "Office")
    assert "two people (agencies add)" in await refusal(yesser, *new)
    certificate = ("agencies", "certificate", "health", "--output", str(settings.home / "health.pem"))
    assert "two people (agencies certificate)" in await refusal(yesser, *certificate)

    files = console_key_files(settings)
    key = load_or_create_hash_keys(files).current
    rotate = ("keys", "rotate", "console")
    await yesser.output(*rotate, "--prepare")  # it is not used yet
    assert "two people (keys rotate)" in await refusal(yesser, *rotate)
    await approve()
    prepared = files.next.read_text()
    files.next.unlink()
    await yesser.output(*rotate, "--prepare")
    assert "two people" in await refusal(yesser, *rotate), "not for another key"
    files.next.write_text(prepared)
    assert load_or_create_hash_keys(files).current == key
    await yesser.output(*rotate)
    assert load_or_create_hash_keys(files).current.text == prepared
    assert "two people" in await refusal(yesser, "webhooks", "rotate-key")
    passphrase, export = tmp_path / "passphrase", tmp_path / "keys"
    passphrase.write_text("a long passphrase of the tests")
    passphrase.chmod(0o600)
    given = ("--passphrase-file", str(passphrase))
    await yesser.output("keys", "export", str(export), "--only", "console", *given)
    replace = ("keys", "import", str(export), "--replace", *given)
    assert "two people (keys import)" in await refusal(yesser, *replace)
    await approve()
    await yesser.output(*replace)


async def test_a_log_is_recovered_records_are_erased_and_a_halt_is_lifted_by_two(
    settings: Settings, connection: Connection, yesser: Yesser
) -> None:
    await founded(settings, connection, "health")
    for name in ("first", "second"):
        await add_account(connection, name, "administrator")
    async with two_people(settings, connection) as approve:
        await yesser.output("recover", "--json")
        unsigned = ("recover", "--accept-unsigned", "--json")
        assert "two people (recover)" in await refusal(yesser, *unsigned)
        assert (await connection.fetchrow(NEWEST) or {})["role"] == "yesser_registrar"
        await approve()
        await yesser.output(*unsigned)
        assert "two people (recover)" in await refusal(yesser, *unsigned), "once"

        await send(settings, HEALTH_TOPIC, said("good"))
        async with running(registrar(settings)):
            await until_size(connection, 4)
            erase = ("erase", HEALTH_TOPIC, "0", "--yes")
            assert "two people (erase)" in await refusal(yesser, *erase)
            assert await first_offset(settings, HEALTH_TOPIC) == 0
            await approve()
            await yesser.output(*erase)
            assert await first_offset(settings, HEALTH_TOPIC) == 1
            await drop_topic(settings, HEALTH_TOPIC)
            await until_topic_halted(connection, HEALTH_TOPIC)
            unhalt = ("registrar", "unhalt", "health", "--yes")
            assert "two people (registrar unhalt)" in await refusal(yesser, *unhalt)
            await approve()
            await yesser.output(*unhalt)


FORGED: Final = (
    "INSERT INTO console.approval (act, arguments, digest, operator, first_by, first_at, second_by, second_at, seal)"
    " SELECT act, arguments, digest, operator, 'first', now(), 'second', now(), sha256('forged') FROM console.approval"
)
CONFIRMED: Final = (
    "UPDATE console.approval SET first_by = 'first', first_at = clock_timestamp(), second_by = 'second',"
    " second_at = clock_timestamp(), seal = sha256('forged')"
)


async def test_who_runs_commands_approves_nothing_in_the_database(
    settings: Settings, administrators: None, yesser: Yesser
) -> None:
    assert "two people" in await refusal(yesser, *ADD)
    for name in ("administrator", "operator", "registrar"):
        async with connected(settings.acting_as(name), "test") as own:
            for statement in (
                FORGED,
                CONFIRMED,
                "UPDATE console.approval SET requested_at = now()",
                "DELETE FROM console.approval",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await own.execute(statement)
            with pytest.raises(asyncpg.CheckViolationError):
                await own.execute("UPDATE console.approval SET used_at = now()")
    async with connected(settings.acting_as("console"), "test") as own:
        await own.execute(CONFIRMED)
    assert "two people" in await refusal(yesser, *ADD), "without the key no row is an approval"
    async with console(settings) as served, served.signed_in("first") as client:
        assert "Row changed: not accepted" in (await client.get("/approvals")).text
    settings.secret_path("key", "accounts").unlink()
    result = await yesser.run("agencies", "rotate", "health")
    assert "accounts/key" in str(result.exception), "nothing is compared where the key is not"


async def test_the_page_says_what_is_asked_and_takes_no_person_twice_and_nothing_after_a_day(
    settings: Settings, connection: Connection, administrators: None, yesser: Yesser
) -> None:
    await add_account(connection, "office", "office")
    assert "two people" in await refusal(yesser, *SUSPEND)
    number = await connection.fetchval("SELECT approval_id FROM console.approval")
    async with (
        console(settings) as served,
        served.signed_in("office") as office,
        served.signed_in("first") as first,
        served.signed_in("second") as second,
    ):
        assert await confirm(office, number) == 403
        assert await confirm(first, number + 1) == 404
        page = (await first.get("/approvals")).text
        asked = ("Suspend an agency", "a test", "desk", "yesser_administrator", "Nobody yet", ">Confirm</button>")
        assert [text for text in asked if text not in page] == []
        assert [await confirm(first, number) for _ in range(2)] == [303, 409]
        async with served.signed_in("first", "ar") as client:
            page = (await client.get("/approvals")).text
        assert [text in page for text in ("إيقاف جهة", "أكّدتَه", "/confirm")] == [True, True, False]
        assert f"/approvals/{number}/confirm" in (await second.get("/approvals")).text
        twice = "UPDATE console.approval SET second_by = 'first', second_at = clock_timestamp()"
        with pytest.raises(asyncpg.CheckViolationError):
            await served.parts.own.execute(twice)
        assert "two people" in await refusal(yesser, *SUSPEND)
        await _age(connection, timedelta(hours=24, seconds=1))
        assert await confirm(second, number) == 409
    again = await refusal(yesser, *SUSPEND)
    assert f"request {number} " not in again, "a new request takes the place of one that is too old"


async def _age(connection: Connection, by: timedelta) -> None:
    """As if all of the first request was so much earlier, also its seal."""
    row = dict(await connection.fetchrow("SELECT * FROM console.approval ORDER BY approval_id LIMIT 1") or {})
    times = ("requested_at", "first_at", "second_at")
    row |= {name: row[name] and row[name] - by for name in times}
    await connection.execute(
        "UPDATE console.approval SET requested_at = $1, first_at = $2, second_at = $3, seal = $4"
        " WHERE approval_id = $5",
        *(row[name] for name in times),
        SEALS.of_approval(row),
        row["approval_id"],
    )


async def counted(line: bytes) -> bool:
    return line in exposition()


async def test_the_rule_begins_with_the_second_administrator_and_what_one_does_in_an_emergency_is_loud(
    settings: Settings, connection: Connection, pool: Pool, agencies: None, yesser: Yesser
) -> None:
    await yesser.output("accounts", "add", "first", "--role", "administrator")
    told = await read_second_person(settings)
    assert (told and (told.in_force, told.administrators, told.alone)) == (False, 1, [])
    await yesser.output("accounts", "add", "second", "--role", "administrator")
    off = await yesser.run(*ADD, YESSER_SECOND_PERSON="off")
    assert off.exception is not None
    assert exit_code(off.exception) == ExitCode.WRONG_USE, "it is off in a sandbox only"

    done = await yesser.run(*SUSPEND, "--break-glass", "both administrators are away")
    assert done.exit_code == 0, done.output
    assert "this act needs two people, and one did it" in done.stderr
    assert await connection.fetchrow(NEWEST) is None, "nobody was asked"
    kept = [row async for row in trail_rows(connection) if row["command"].startswith("break-glass")]
    assert [(row["role"], row["operator"], row["command"]) for row in kept] == [
        ("yesser_administrator", "desk", "break-glass agencies suspend: both administrators are away")
    ]
    told = await read_second_person(settings)
    assert told is not None
    assert (told.in_force, told.administrators) == (True, 2)
    assert [row.command for row in told.alone] == [row["command"] for row in kept]
    out = io.StringIO()
    print_status(replace(stack_status(settings), second_person=told), Console(file=out, width=80))
    assert "Second person: in force (2 administrators)." in out.getvalue()
    assert "what needs two: agencies suspend: both administrators are away." in out.getvalue()
    counting = asyncio.create_task(count_alone(pool))
    await until(lambda: counted(b"yesser_break_glass 1.0"), "it is counted")
    counting.cancel()
    await connection.execute(
        "ALTER TABLE platform.trail DISABLE TRIGGER USER;"
        " UPDATE platform.trail SET at = at - interval '7 days'; ALTER TABLE platform.trail ENABLE TRIGGER USER"
    )
    assert (await read_second_person(settings) or told).alone == []
    async with connected(settings.acting_as("delivery"), "test") as reader:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute("INSERT INTO platform.trail (host, command) VALUES ('h', 'break-glass erase: no')")

    files, rotate = console_key_files(settings), ("keys", "rotate", "console")
    key = load_or_create_hash_keys(files).current
    away = {"YESSER_POSTGRES": "postgresql://127.0.0.1:1/yesser"}
    result = await yesser.run(*rotate, **away)
    assert result.exception is not None
    assert exit_code(result.exception) == ExitCode.TRY_AGAIN
    assert load_or_create_hash_keys(files).current == key, "nobody could be asked"
    settings.secret_path("postgres", "operator").unlink()  # as on the registrar's machine
    assert "two people (keys rotate)" in await refusal(yesser, *rotate)
    assert (await connection.fetchrow(NEWEST) or {})["role"] == "yesser_registrar"
    alone = await yesser.run(*rotate, "--break-glass", "the database is lost", **away)
    assert alone.exit_code == 0, alone.output
    assert "not in the trail" in alone.stderr


async def test_the_rule_can_be_required_before_there_is_an_administrator(settings: Settings, yesser: Yesser) -> None:
    write_accounts_key(settings)
    assert "two people" in await refusal(yesser, *ADD, YESSER_SECOND_PERSON="required")
    await yesser.output(*ADD, "--break-glass", "the first one", YESSER_SECOND_PERSON="required")
