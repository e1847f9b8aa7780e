"""`yesser outbox schema | install | run | status`: an agency's events leave with the agency's own transactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import asyncpg
import click
import orjson
import uvloop

from events.errors import Retry
from events.fields import Role
from events.verdicts import Agency
from infra.postgres import TRANSIENT_ERRORS, Connection, passes_by_itself
from infra.run_cli import serve
from infra.settings import Settings
from infra.telemetry import setup
from producers.outbox.outbox import NoOutbox, install, open_database, schema_text
from producers.outbox.relay import OutboxRelay
from producers.outbox.status import read_status

Answer = TypeVar("Answer")


class DatabaseAway(Retry):
    """The agency's database (YESSER_OUTBOX_POSTGRES) does not answer: check that it runs, then try again."""


@click.group("outbox")
def outbox() -> None:
    """Send events from a table in the agency's own database (YESSER_OUTBOX_POSTGRES), written by its transactions."""


@outbox.command("schema")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def schema_command(as_json: bool) -> None:
    """Print the SQL that makes the outbox."""
    click.echo(orjson.dumps({"sql": schema_text()}) if as_json else schema_text())


@outbox.command("install")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def install_command(as_json: bool) -> None:
    """Make the outbox (schema yesser) in the agency's database. Repeating it changes nothing."""
    made = _with_connection(install)
    if as_json:
        click.echo(orjson.dumps({"made": made}))
    else:
        click.echo("The outbox is made: yesser.outbox." if made else "The outbox was there already.")


@outbox.command("run")
@click.option("--agency", required=True, metavar="CODE", help="The agency that speaks; its registered code.")
@click.option("--role", type=click.Choice(["office", "agency"]), default="agency", show_default=True, help="Its role.")
def run_command(agency: str, role: str) -> None:
    """Send what is in the outbox, in the foreground, until SIGTERM. Several may run: one works, the others stand by.

    It needs the agency's Kafka credential: YESSER_KAFKA, YESSER_KAFKA_USER, YESSER_KAFKA_PASSWORD.
    """
    settings = Settings()
    setup(settings, "outbox")
    relay = OutboxRelay(settings, Agency(agency, cast(Role, role)))
    uvloop.run(serve(settings, relay.run, relay.readiness))


@outbox.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status_command(as_json: bool) -> None:
    """Show what waits, what was sent last, and what would be refused and is therefore not sent."""
    status = _with_connection(read_status)
    if as_json:
        click.echo(orjson.dumps(status))
    else:
        _tell(status)


def _tell(status: dict[str, Any]) -> None:
    oldest, last, relay = status["oldest"], status["last_sent"], status["relay"]
    since = f", the oldest for {oldest['age_s']:.0f} s ({oldest['id']})" if oldest else ""
    click.echo(f"{status['waiting']:,} waiting{since}.")
    if last:
        click.echo(f"Last sent: {last['id']} at {last['sent_at']:%Y-%m-%d %H:%M:%S}, {last['address']}.")
    works = relay is not None and relay["works"]
    click.echo(f"Relay: {relay['owner']} works." if works else "No relay works: start `yesser outbox run`.")
    if status["refused"]:
        click.echo(f"{status['refused']:,} would be refused and are not sent:")
    for row in status["refused_last"]:
        for fault in row["faults"]:
            click.echo(f"  {row['id']}: {fault['code']} at {fault['pointer'] or 'the whole'}: {fault['detail']}")
        if not row["faults"]:
            click.echo(f"  {row['id']}: no fault was given; `yesser lint` says what the registrar would find.")


def _with_connection(work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        connection = await open_database(Settings(), "outbox")
        try:
            return await work(connection)
        finally:
            await connection.close()

    try:
        return uvloop.run(run())
    except asyncpg.InsufficientPrivilegeError as error:
        raise NoOutbox(
            f"This role may not do that in the agency's database ({error}): use the owner of the outbox."
        ) from error
    except TRANSIENT_ERRORS as error:
        if not passes_by_itself(error):
            raise
        raise DatabaseAway(f"{DatabaseAway.__doc__} ({error or type(error).__name__})") from error
