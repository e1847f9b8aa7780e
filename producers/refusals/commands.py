"""`yesser refusals list | show | redrive`: dead letters, their faults, and sending them again.

Exit codes of `redrive`: 0 it is in the log · 1 it would be or was refused again · 75 the outcome is unknown; the
command can be repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from typing import Any, BinaryIO, TypeVar

import click

from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.completion import agency_codes, registered
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.event_files.lint import fault_sentence
from infra.event_files.ndjson import LINE_BYTES_MAX
from infra.log.refusals.documents import Fault, Refusal, RefusalInFull
from infra.settings import Settings
from producers.errors import NotAccepted
from producers.refusals.documents import (
    NOT_KEPT,
    CannotRedrive,
    NoSuchRefusal,
    Redriven,
    RefusalDocument,
    document_of,
)
from producers.sdk.read_api import Gateway, reads_options

Found = TypeVar("Found")


@click.group()
def refusals() -> None:
    """Refused records, their faults and their corrections."""


@refusals.command("list")
@click.option("--agency", shell_complete=agency_codes, help="Only this agency's refusals.")
@click.option("--open", "only_open", is_flag=True, help="Only those that no later entry has corrected.")
@click.option("--as-of-index", "position", type=click.IntRange(min=0), help="Only entries with a lower index.")
@reads_options
@json_option
def list_(agency: str | None, only_open: bool, position: int | None, gateway: Gateway | None, as_json: bool) -> None:
    """List the refused records, in log order, each with the entry that corrected it."""
    if gateway is None or position is not None:
        from infra.log.refusals.read import refusals as refusals_in

        only = registered(agency)
        rows = _from_database(Settings(), lambda found: refusals_in(found, only, position, is_open=only_open))
    else:
        rows = gateway.rows(Refusal, "/v1/refusals", agency=agency, open=only_open or None) or []
    rows.reverse()
    print_result(rows, as_json, lambda: _print_rows(rows, _names({row.agency for row in rows}, gateway)))


def _names(codes: Set[str], gateway: Gateway | None) -> Mapping[str, Bilingual]:
    """Of the agencies with these codes, by the source that is read."""
    if gateway is not None:
        return {row.code: row.name for row in gateway.names(f"agency/{code}" for code in codes)}
    from infra.log.refusals.read import agency_names

    return _from_database(Settings(), lambda connection: agency_names(connection, codes))


def _print_rows(rows: Sequence[Refusal], names: Mapping[str, Bilingual]) -> None:
    if not rows:
        print_localized(Bilingual("لا مرفوضات.", "No refusals."))
    for row in rows:
        click.echo(f"{row.index:>9}  {row.address}  {row.claimed_id or ''}".rstrip())
        _print_agency(row.agency, names, " " * 11)
        _print_errors(row.errors, " " * 11)
        if row.accepted_index is not None:
            print_localized(
                Bilingual("           صُحّح في القيد {}.", "           Corrected by log entry {}.").format(
                    row.accepted_index
                )
            )


@refusals.command("show")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--raw", is_flag=True, help="Print only the record's original bytes, to correct them.")
@reads_options
@json_option
def show(index: int, raw: bool, gateway: Gateway | None, as_json: bool) -> None:
    """Show the refusal at INDEX of the log: the record, every fault, and the entry that corrected it.

    A gateway shows no record as it came: --raw reads the database.
    """
    if gateway is not None and not raw:
        found = gateway.document(RefusalInFull, f"/v1/refusals/{index}")
        if found is None:
            raise NoSuchRefusal(f"entry {index} is not a refusal of yours: see `yesser refusals list`")
        document = document_of(found)
    else:
        from producers.refusals.read import read_refusal, shown

        settings = Settings().acting_as("operator")  # the records as they came are not for every reader
        if raw:
            record = _from_database(settings, lambda connection: read_refusal(connection, index))
            if not record.is_kept:
                raise CannotRedrive(f"the record refused at {index} was not kept: {NOT_KEPT.en}")
            click.echo(record.value or b"", nl=False)
            return
        document = _from_database(settings, lambda connection: shown(connection, index))
    print_result(document, as_json, lambda: _print(document, _names({document.agency}, gateway)))


@refusals.command("redrive")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--from", "file", type=click.File("rb"), help="Send this corrected event (one, structured JSON) instead.")
@click.option("--timeout", "timeout_s", type=float, default=60.0, show_default=True, help="Seconds to wait.")
@json_option
@click.pass_context
def redrive_command(context: click.Context, index: int, file: BinaryIO | None, timeout_s: float, as_json: bool) -> None:
    """Send the record refused at INDEX again as its agency, and wait for the verdict.

    A record that would be refused again is not sent. An event that is already in the log is only linked. Exit code 1:
    it would be or was refused again; 75: the outcome is unknown.
    """
    import uvloop

    from infra.observability.telemetry import setup
    from producers.refusals.redrive import redrive

    corrected = None if file is None else file.read(LINE_BYTES_MAX + 1)
    settings = Settings().acting_as("operator")
    setup(settings.model_copy(update={"log_level": "error"}), "refusals")
    try:
        result = uvloop.run(redrive(settings, index, corrected, timeout_s))
    except (CannotRedrive, NoSuchRefusal, NotAccepted):
        raise
    except YesserError as error:
        click.echo(f"yesser: {error} Run the same command again.", err=True)
        context.exit(ExitCode.TRY_AGAIN)
    print_result(result, as_json, lambda: _print_redriven(result))
    context.exit(ExitCode.OK if result.state in ("registered", "duplicate") else ExitCode.ANSWER_IS_NO)


def _from_database(settings: Settings, work: Callable[[Any], Awaitable[Found]]) -> Found:
    from infra.command_line.database import with_database

    return with_database(settings, "refusals", work)


def _print(document: RefusalDocument, names: Mapping[str, Bilingual]) -> None:
    index, recorded, more = document.index, document.recorded, document.unlisted
    print_localized(Bilingual("الرفض في القيد {}  {}", "Refusal at log entry {}  {}").format(index, recorded))
    click.echo(f"{document.address}  {document.claimed_type or ''}  {document.claimed_id or ''}".rstrip())
    _print_agency(document.agency, names, "")
    _print_errors(document.errors, "  ")
    if more:
        print_localized(Bilingual("  … وأخطاء أخرى عددها {:,}.", "  … and {:,} more faults.").format(more))
    if document.kept is False:
        print_localized(Bilingual("لم يُحفظ محتواه: {}.", "Its content was not kept: {}.").format(NOT_KEPT))
    if (held := document.id_held_by) is not None:
        print_localized(Bilingual("معرّفه للقيد {}.", "Its id belongs to log entry {}.").format(held))
    for sent in document.redrives or ():
        print_localized(Bilingual("أُعيد إرساله {} بالمعرّف {}", "Sent again {} as {}").format(sent.sent_at, sent.id))
    accepted = document.accepted
    if accepted is None:
        print_localized(Bilingual("لم يُقبل تصحيح له بعد.", "No correction has been accepted yet."))
    else:
        entry, how = accepted.index, accepted.by
        print_localized(Bilingual("صُحّح في القيد {} ({}).", "Corrected: log entry {} ({}).").format(entry, how))


def _print_agency(code: str, names: Mapping[str, Bilingual], margin: str) -> None:
    if (name := names.get(code)) is not None:
        print_localized(Bilingual(margin + "{} ({})", margin + "{} ({})").format(name, code))


def _print_redriven(result: Redriven) -> None:
    index = result.index
    words = {
        "registered": Bilingual("سُجّل في القيد {}.", "Registered as log entry {}.").format(index),
        "duplicate": Bilingual("موجود في السجل من قبل، القيد {}.", "Already in the log, entry {}.").format(index),
        "refused": Bilingual("رُفض مرة أخرى، القيد {}.", "Refused again, log entry {}.").format(index),
        "not-sent": Bilingual("لم يُرسل: سيُرفض مرة أخرى.", "Not sent: it would be refused again."),
    }
    print_localized(words[result.state])
    _print_errors(result.errors, "  ")
    if result.state == "not-sent":
        print_localized(Bilingual("صحّحه ثم أرسله بالخيار --from.", "Correct it and send it with --from."))


def _print_errors(errors: Sequence[Fault], margin: str) -> None:
    for error in errors:
        sentence = fault_sentence(error.code, error.pointer, error.detail)
        print_localized(Bilingual(margin + "{}", margin + "{}").format(sentence))
