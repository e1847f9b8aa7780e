"""`yesser refusals list | show | redrive`: dead letters, why they are, and their way back.

Exit codes of `redrive`: 0 it is in the log · 1 it would be or was refused again · 75 the outcome is unknown; the same
command may be given again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO, TypeVar

import click
import orjson
import uvloop

from events.errors import YesserError
from infra.exit_codes import ExitCode
from infra.postgres import Connection, connect
from infra.settings import Settings
from infra.telemetry import setup
from producers.errors import NotAccepted
from producers.lines import LINE_BYTES_MAX
from producers.redrive import CannotRedrive, Redriven, redrive
from producers.refusals import SQL, NoSuchRefusal, Refusal, in_both_languages, read_refusal, shown

Answer = TypeVar("Answer")


@click.group()
def refusals() -> None:
    """What was refused, why, and what corrected it."""


@refusals.command("list")
@click.option("--agency", help="Only those of this agency.")
@click.option("--as-of-index", "position", type=click.IntRange(min=0), help="Only entries below this position.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(agency: str | None, position: int | None, as_json: bool) -> None:
    """One row per refused record, in log order."""

    async def find(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in await connection.fetch(SQL["list"], agency, position)]

    rows = _read(find)
    if as_json:
        click.echo(orjson.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['index']:>9}  {row['address']}  {row['claimed_id'] or ''}")
        _tell_errors(in_both_languages(row["errors"]), " " * 11)


@refusals.command("show")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--raw", is_flag=True, help="Print nothing but the record's bytes as they came, to be corrected.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(index: int, raw: bool, as_json: bool) -> None:
    """The refusal at INDEX of the log: what was sent, every fault, and where its correction was accepted."""
    if raw:
        _print_raw(_read(lambda connection: read_refusal(connection, index)))
        return
    document = _read(lambda connection: shown(connection, index))
    if as_json:
        click.echo(orjson.dumps(document))
    else:
        _tell(document)


@refusals.command("redrive")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--from", "file", type=click.File("rb"), help="Send this corrected event (one, structured JSON) instead.")
@click.option("--timeout", "timeout_s", type=float, default=60.0, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def redrive_command(context: click.Context, index: int, file: BinaryIO | None, timeout_s: float, as_json: bool) -> None:
    """Send the record refused at INDEX again, in its agency's name, and wait for the verdict.

    What would be refused again is not sent. An event that is in the log already is only linked.
    """
    corrected = None if file is None else file.read(LINE_BYTES_MAX + 1)
    settings = Settings()
    setup(settings.model_copy(update={"log_level": "error"}), "refusals")
    try:
        result = uvloop.run(redrive(settings, index, corrected, timeout_s))
    except (CannotRedrive, NoSuchRefusal, NotAccepted):
        raise
    except YesserError as error:
        click.echo(f"yesser: {error} Give the same command again.", err=True)
        context.exit(ExitCode.TRY_AGAIN)
    if as_json:
        click.echo(orjson.dumps(result.document()))
    else:
        _tell_redriven(result)
    context.exit(ExitCode.OK if result.state in ("registered", "duplicate") else ExitCode.SAID_NO)


def _tell(document: dict[str, Any]) -> None:
    click.echo(f"Refusal {document['index']} · الرفض {document['index']}  {document['recorded']}")
    click.echo(f"{document['address']}  {document['claimed_type'] or ''}  {document['claimed_id'] or ''}")
    _tell_errors(document["errors"], "  ")
    if document["unlisted"]:
        click.echo(f"  … and {document['unlisted']:,} faults more. · وأخطاء أخرى عددها {document['unlisted']:,}.")
    if not document["kept"]:
        click.echo("Nothing was kept of it (personal data). · لم يُحفظ منه شيء (بيانات شخصية).")
    if document["id_held_by"] is not None:
        held = document["id_held_by"]
        click.echo(f"Its id belongs to entry {held}. · معرّفه للقيد {held}.")
    for sent in document["redrives"]:
        click.echo(f"Sent again {sent['sent_at']} as {sent['id']} · أُعيد إرساله")
    accepted = document["accepted"]
    if accepted is None:
        click.echo("No correction was accepted yet. · لم يُقبل تصحيح له بعد.")
    else:
        click.echo(f"Corrected: entry {accepted['index']} ({accepted['by']}). · صُحّح في القيد {accepted['index']}.")


def _tell_redriven(result: Redriven) -> None:
    words = {
        "registered": f"Registered as entry {result.index}. · سُجّل في القيد {result.index}.",
        "duplicate": f"It is in the log already, at {result.index}. · موجود في السجل من قبل، القيد {result.index}.",
        "refused": f"Refused again, at {result.index}. · رُفض مرة أخرى، القيد {result.index}.",
        "not-sent": "Not sent: it would be refused again. · لم يُرسل: سيُرفض مرة أخرى.",
    }
    click.echo(words[result.state])
    _tell_errors(result.errors, "  ")
    if result.state == "not-sent":
        click.echo("Correct it, and give it with --from. · صحّحه ثم أعطه مع ‎--from‎.")


def _tell_errors(errors: list[dict[str, Any]], margin: str) -> None:
    for error in errors:
        click.echo(f"{margin}{error['code']} at {error['pointer'] or 'the whole'}: {error['detail']}")
        click.echo(f"{margin}{error['detail_ar']}")


def _print_raw(refusal: Refusal) -> None:
    if not refusal.is_kept:
        raise CannotRedrive(f"nothing was kept of the record refused at {refusal.index}, for it held personal data")
    click.echo(refusal.value or b"", nl=False)


def _read(question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        connection = await connect(Settings(), "refusals")
        try:
            return await question(connection)
        finally:
            await connection.close()

    return uvloop.run(ask())
