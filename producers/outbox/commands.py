"""`yesser outbox schema | install | run | status`: sends an agency's events with the agency's own transactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar, cast

import asyncpg
import click
import uvloop

from events.errors import Retry
from events.validation.verdicts import Agency
from events.values.bilingual import Bilingual
from events.values.fields import Role
from infra.command_line.display import time_text
from infra.command_line.gateway_options import agency_option, named_agency
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import role_option
from infra.event_files.lint import fault_sentence
from infra.observability.telemetry import setup
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, is_transient
from infra.process.commands import serve
from infra.settings import Settings
from producers.outbox.outbox import NoOutbox, OutboxStatus, install, open_database, read_status, schema_text
from producers.outbox.relay import OutboxRelay, sender_at_gateway

Answer = TypeVar("Answer")


class DatabaseAway(Retry):
    """The agency's database (YESSER_OUTBOX_POSTGRES) does not answer: check that it runs, then try again."""


@click.group("outbox")
def outbox() -> None:
    """Send the events that the agency's transactions write to a table in its own database (YESSER_OUTBOX_POSTGRES)."""


@outbox.command("schema")
@json_option
def schema_command(as_json: bool) -> None:
    """Print the SQL that creates the outbox."""
    print_result({"sql": schema_text()}, as_json, lambda: click.echo(schema_text()))


@outbox.command("install")
@json_option
def install_command(as_json: bool) -> None:
    """Create the outbox (schema yesser) in the agency's database. Repeating the command changes nothing."""
    made = _with_connection(install)
    created = Bilingual("أُنشئ صندوق الصادر: yesser.outbox.", "Outbox created: yesser.outbox.")
    existing = Bilingual("صندوق الصادر موجود من قبل.", "The outbox already exists.")
    print_confirmation({"made": made}, as_json, created if made else existing)


@outbox.command("run")
@agency_option
@role_option
def run_command(agency: str | None, role: str) -> None:
    """Send the outbox's events, in the foreground, until SIGTERM. Of several relays one works and the others stand by.

    Needs the agency's Kafka credential (YESSER_KAFKA, YESSER_KAFKA_USER, YESSER_KAFKA_PASSWORD), or a gateway and a
    token (YESSER_OUTBOX_GATEWAY, YESSER_OUTBOX_TOKEN): then the gateway is asked once for the agency, if none is named.
    """
    settings = Settings()
    setup(settings, "outbox")
    if agency is not None or settings.outbox_gateway is None:
        sender = Agency(named_agency(agency), cast(Role, role))
    else:
        sender = uvloop.run(sender_at_gateway(settings, settings.outbox_gateway))
    relay = OutboxRelay(settings, sender)
    uvloop.run(serve(settings, relay.run, relay.readiness))


@outbox.command("status")
@json_option
def status_command(as_json: bool) -> None:
    """Show the waiting events, the last one sent, and those not sent because they would be refused."""
    status = _with_connection(lambda connection: read_status(connection, Settings()))
    print_result(status, as_json, lambda: print_localized(*_sentences(status)))


def _sentences(status: OutboxStatus) -> Iterator[Bilingual]:
    oldest, last, relay = status.oldest, status.last_sent, status.relay
    yield Bilingual("ينتظر الإرسال: {:,}.", "{:,} waiting.").format(status.waiting)
    if oldest is not None:
        age, first = oldest.age_s, oldest.id
        yield Bilingual("أقدمها منذ {:.0f} ثانية ({}).", "The oldest has waited for {:.0f} s ({}).").format(age, first)
    if last is not None:
        sent = Bilingual("آخر ما أُرسل: {} في {}، {}.", "Last sent: {} at {}, {}.")
        yield sent.format(last.id, time_text(last.sent_at), last.address)
    if relay is not None and relay.works:
        yield Bilingual("الناقل يعمل: {}.", "Relay {} is running.").format(relay.owner)
    else:
        yield Bilingual("لا ناقل يعمل: شغّل `yesser outbox run`.", "No relay is running: start `yesser outbox run`.")
    if refused := status.refused:
        yield Bilingual("لم يُرسل لأنه سيُرفض: {:,}", "{:,} would be refused and are not sent:").format(refused)
    for row in status.refused_last:
        for fault in row.faults:
            sentence = fault_sentence(fault["code"], fault["pointer"], fault["detail"])
            yield Bilingual("  {}: {}", "  {}: {}").format(row.id, sentence)
        if not row.faults:
            yield Bilingual(
                "  {}: لم يُذكر خطأ؛ `yesser lint` يعرض أخطاء الحدث.",
                "  {}: no fault is recorded; `yesser lint` lists the event's faults.",
            ).format(row.id)


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
        raise NoOutbox(f"This database role lacks the right ({error}): use the owner of the outbox.") from error
    except TRANSIENT_ERRORS as error:
        if not is_transient(error):
            raise
        raise DatabaseAway(f"{DatabaseAway.__doc__} ({error or type(error).__name__})") from error
