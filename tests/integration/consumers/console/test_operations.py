"""The operations page: what is halted and what to do, what is refused, who did what; and while the database is away."""

from __future__ import annotations

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.consoles import add_account, console

REASON = "the batch at offset 17 is damaged"


async def test_a_halt_shows_its_reason_and_its_runbook_entry_also_while_the_database_is_away(
    settings: Settings, connection: Connection
) -> None:
    await add_account(connection, "operator", "administrator")
    await connection.execute(
        "INSERT INTO platform.agency (code, role, name, registered_index) VALUES ('health', 'agency', $1, 2)",
        {"ar": "وزارة <b>الصحة", "en": "Ministry of <b>Health"},
    )
    await connection.execute(
        "INSERT INTO log.read_position (topic, next_offset, halted_reason, halted_at)"
        " VALUES ('agency.health.events', 17, $1, now())",
        REASON,
    )
    await connection.execute(
        "INSERT INTO log.refusal (index, agency, address, errors) VALUES (1, 'health', 'a/0/1', $1)",
        [{"code": code, "detail": "", "pointer": ""} for code in ("of-a-later-release", "invalid-value")],
    )
    await connection.execute("INSERT INTO platform.position (consumer, position) VALUES ('revenue', 0)")
    async with console(settings) as served, served.signed_in("operator") as client:
        page = (await client.get("/operations")).text
        assert 'Halted: <code dir="ltr">health</code>' in page, "no name is known yet"
        assert REASON in page
        assert "checksum does not match" in page, "the runbook's entry"
        assert "Ministry of &lt;b&gt;Health" in page
        assert '<td>A value is not valid <small><code dir="ltr">invalid-value</code></small></td>' in page
        assert '<td><code dir="ltr">of-a-later-release</code></td>' in page
        trail = (await client.get("/operations/trail")).text
        assert "yesser_console" in trail
        assert "sign in" in trail
        served.parts.reads.terminate()
        away = await client.get("/operations")
        assert away.status_code == 200
        assert "The database does not answer" in away.text
        assert REASON in away.text, "what was read before still stands"
        assert (await client.get("/operations/trail")).status_code == 503
        served.parts.own.terminate()
        assert (await client.get("/components")).status_code == 200, "a session that was valid just now"
        client.cookies.clear()
        client.cookies.set("yesser-session", "another")
        answer = await client.get("/components")
        assert answer.status_code == 503, "nobody new is let in"
        assert "<h1>" in answer.text
