"""The head of the trail is in the log: a trail that was written again, or cut, is another one than was committed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from consumers.console.checks.child import compare_models
from consumers.documents.log.commitments import Status
from consumers.proof.commitments.check import acknowledge
from consumers.proof.commitments.commitment import trail_growth
from consumers.proof.commitments.trail import LOST, TRAIL, compare_trail, lost_claims, said_in_log
from infra.log.authority import TableDiffers
from infra.postgres.connection import Connection
from infra.postgres.trail import Actor, add_to_trail
from infra.settings import Settings
from tests.integration.consumers.proof.commitments.committing import register_outbox, scheduler_of, status_in_database

AGAIN: Final = """
    TRUNCATE platform.trail_link;
    INSERT INTO platform.trail_link VALUES (0, NULL, decode(repeat('00', 32), 'hex'));
    DO $$ DECLARE t platform.trail; l platform.trail_link; BEGIN
        FOR t IN SELECT * FROM platform.trail ORDER BY row_id LOOP
            SELECT * INTO l FROM platform.trail_link ORDER BY position DESC LIMIT 1;
            INSERT INTO platform.trail_link VALUES
                (l.position + 1, t.row_id, sha256(l.sha256 || platform.trail_bytes(t, l.position + 1)));
        END LOOP;
    END $$
"""
"""A superuser chains the rows again, so that the chain itself is whole."""


async def add_rows(connection: Connection, count: int) -> None:
    for number in range(count):
        await add_to_trail(connection, f"keys rotate {number}", by=Actor(operator="night desk"))


async def compared(connection: Connection) -> str:
    """What `yesser audit verify --database` says of the trail."""
    try:
        return f"{await compare_trail(connection, *await said_in_log(connection))} rows"
    except TableDiffers as error:
        return str(error)


TAMPERED: Final = {
    "removed and chained again": (
        f"DELETE FROM platform.trail WHERE row_id = 2; {AGAIN}",
        "platform.trail, its first 3 rows: the table has .2 rows., the log gives",
    ),
    "inserted and chained again": (
        "INSERT INTO platform.trail (host, command) VALUES ('h', 'x');"
        f" {AGAIN.replace('ORDER BY row_id', 'ORDER BY row_id DESC')}",
        "first 3 rows",
    ),
    "changed": ("UPDATE platform.trail SET command = 'keys y' WHERE row_id = 1", "position 1, row 1"),
    "the last row and its link removed": (
        "DELETE FROM platform.trail_link WHERE position = 3; DELETE FROM platform.trail WHERE row_id = 3",
        "3 rows",
    ),
}
KEEP: Final = "CREATE TABLE public.trail AS TABLE platform.trail; CREATE TABLE public.link AS TABLE platform.trail_link"
BACK: Final = """
    TRUNCATE platform.trail_link, platform.trail;
    INSERT INTO platform.trail OVERRIDING SYSTEM VALUE TABLE public.trail;
    INSERT INTO platform.trail_link TABLE public.link;
"""


async def test_another_trail_is_found(settings: Settings, live: Connection, raw: list[bytes], run: Any) -> None:
    await add_rows(live, 3)
    _, said = await run("commit")
    assert (said["commitments"][-1]["name"], said["commitments"][-1]["rows"]) == ("trail", 3)
    await register_outbox(live, raw)
    await live.execute(KEEP)
    for name, (tampering, named) in TAMPERED.items():
        await live.execute("SET session_replication_role = replica")
        await live.execute(tampering)
        told = await compared(live)
        assert re.search(named, told), (name, told)
        assert await status_in_database(live, TRAIL) is Status.WRONG, name
        await live.execute(BACK)
        await live.execute("RESET session_replication_role")

    await add_rows(live, 2)
    assert await status_in_database(live, TRAIL) is Status.MATCHES, "rows were added after the commitment"
    assert await compared(live) == "5 rows"
    models = await compare_models(settings.acting_as("reader"), lambda *_: None)
    assert [row.ok for row in models.commitments if row.name == "trail"] == [True]
    scheduler = await scheduler_of(settings, live)
    assert not await scheduler.look(live), "not each row is committed"
    growth, _ = await trail_growth(live)
    assert (growth.entries_count, growth.committed_count, growth.due) == (5, 3, False)
    await live.execute("UPDATE platform.committed SET committed_at = committed_at - interval '1 day'")
    assert await scheduler.look(live), "a trail that grew is committed within a day"
    assert not (await trail_growth(live))[0].due
    names = await live.fetch("SELECT convert_from(value, 'UTF8')::jsonb #>> '{data,name}' AS name FROM platform.outbox")
    assert [row["name"] for row in names].count("trail") == 1


async def test_rows_that_a_restore_lost_are_acknowledged_and_rows_that_were_changed_before_are_not(
    live: Connection, raw: list[bytes], run: Any
) -> None:
    await add_rows(live, 2)
    await run("commit")
    copied = await register_outbox(live, raw)
    await add_rows(live, 3)
    await run("commit")
    whole = await register_outbox(live, copied)
    await live.execute("SET session_replication_role = replica")
    await live.execute(
        "DELETE FROM platform.trail_link WHERE position > 2; DELETE FROM platform.trail WHERE row_id > 2"
    )
    await live.execute("UPDATE platform.trail SET command = 'keys y' WHERE row_id = 1")
    await live.execute("SET session_replication_role = origin")
    await live.execute("UPDATE platform.committed SET entries_count = 2 WHERE consumer = 'trail'")
    assert await lost_claims(live) == []
    await add_to_trail(live, f"recover from {len(copied)}")
    await add_to_trail(live, f"recover from {len(whole)} --accept-unsigned")
    (lost,) = await lost_claims(live)
    assert (lost.name, lost.rows, lost.index >= len(copied)) == ("trail", 5, True)
    await acknowledge(live, lost.index, LOST, lambda: datetime(2026, 11, 30, tzinfo=UTC))
    await register_outbox(live, whole)
    assert await lost_claims(live) == []
    _, checked = await run("audit", "commitments")
    rows = {row["rows"]: row for row in checked["commitments"] if row["name"] == "trail"}
    assert {count: row["status"] for count, row in rows.items()} == {2: "wrong", 5: "acknowledged"}
    assert rows[5]["acknowledgement"]["reason"] == LOST
