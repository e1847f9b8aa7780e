"""`yesser publish FILE` (`events.md` §5), with tables, resumption and a file of refused lines.

Exit codes: 0 all lines accepted or duplicate (without `--wait`: stored) · 1 some refused or conflicting · 2 wrong
use, nothing was sent · 75 the outcome of some lines is unknown; publishing the file again is safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from msgspec import UNSET

from events.errors import YesserError
from events.values.bilingual import Bilingual, joined
from infra.command_line.exit_codes import ExitCode
from infra.command_line.gateway_options import (
    agency_option,
    gateway_address,
    named_agency,
    token_of,
    token_option,
)
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_json
from infra.command_line.parameters import OutputFile, mapping_option, usage_errors
from infra.event_files.lint import MORE, SHOWN_MAX, ahead_sentences, line_sentence, unlisted_sentence
from infra.event_files.ndjson import read_opening
from infra.settings import Settings
from infra.tables.mapping import read_mapping
from producers.publisher.job import EventFile, Job, Source, Table, is_file, run_job, write_refused
from producers.publisher.over_gateway import LIMITS, GatewayDestination
from producers.publisher.report import Destination, PublishDocument, Report

Run = Callable[[Coroutine[Any, Any, tuple[Report, YesserError | None]]], tuple[Report, YesserError | None]]
COUNTS: Final = (
    Bilingual("المقبول", "accepted"),
    Bilingual("المكرر", "duplicates"),
    Bilingual("المتعارض", "conflicts"),
    Bilingual("المرفوض", "refused"),
)
_KAFKA_S: Final = 120.0


@click.command("publish")
@click.argument("file", type=click.File("rb"))
@agency_option
@click.option("--to", metavar="ADDRESS", help="Send to this gateway with the agency's token, not to Kafka.")
@token_option
@click.option("--wait", is_flag=True, help="Return when each line has its verdict.")
@click.option("--sequence", is_flag=True, help="Number the lines (attribute `sequence`), one publisher at a time.")
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    help="Longest wait for verdicts (default: none), and for Kafka or the gateway without any progress, in seconds.",
)
@click.option(
    "--delivery-timeout",
    "delivery_timeout_s",
    type=float,
    help="Longest wait for Kafka (default: 120) or the gateway (60) without any progress, in seconds.",
)
@mapping_option
@click.option("--raw", is_flag=True, help="Send every line as it is, also a faulty one: the registrar refuses it.")
@click.option(
    "--resume",
    type=OutputFile(),
    metavar="STATE",
    help="Store the progress in STATE, and resume from there.",
)
@click.option(
    "--refused",
    type=OutputFile(),
    metavar="FILE",
    help="Wait, and write the refused lines to FILE, to correct and send again.",
)
@json_option
@click.pass_context
def publish(
    context: click.Context,
    file: BinaryIO,
    agency: str | None,
    to: str | None,
    token_file: Path | None,
    wait: bool,
    sequence: bool,
    timeout_s: float | None,
    delivery_timeout_s: float | None,
    mapping: Path | None,
    raw: bool,
    resume: Path | None,
    refused: Path | None,
    as_json: bool,
) -> None:
    """Send FILE (- for standard input), one CloudEvent in structured JSON per line, to the agency's topic or a gateway.

    Each line is validated first, and a faulty one is not sent. The others are sent unchanged, with missing
    `specversion`, `source` and `datacontenttype` filled in. A file without events, such as a table without --mapping,
    is not sent.
    """
    _require_files(file, mapping, resume, refused)
    if raw and mapping:
        raise click.BadParameter("--raw does not go with --mapping: leave one of them out", param_hint="--raw")
    with usage_errors():
        source = _source(file, mapping, raw)
    wait = wait or refused is not None
    destination: Destination
    usual_s = _KAFKA_S if to is None else LIMITS.time_limit_s
    stored_within_s = min(filter(None, (timeout_s, delivery_timeout_s or usual_s)))
    if to is None:
        sender = named_agency(agency)
        destination, run = _kafka(sender, needs_database=wait or sequence, stored_within_s=stored_within_s)
    else:
        gateway, token = gateway_address(to), token_of(token_file)
        destination, run = GatewayDestination(Settings(), gateway, token, stored_within_s), asyncio.run
        sender = asyncio.run(destination.sender(agency))
    job = Job(destination, sender, file, source, wait, sequence, timeout_s, resume, refused, raw)
    with usage_errors():
        report, error = run(run_job(job))
    if report.problem_lines() and is_file(file):
        # Ids are read from the file again; for a pipe, only those that the registrar could read are known.
        report.ids = source.ids(report.problem_lines())
    document = report.document(source.column_of)
    write_refused(job, report, document)
    if as_json:
        print_json(document)
    else:
        print_localized(*sentences(report, document))
        if error is None and not report.lines:
            print_localized(Bilingual("لا أسطر في الملف: لم يُرسل شيء.", "The file has no lines: nothing was sent."))
        if document.refused_lines:
            count = len(document.refused_lines)
            sentence = Bilingual(
                "الأسطر المرفوضة ({:,}) في {}: صحّحها ثم انشرها.",
                "{:,} refused lines are in {}: correct them and publish the file.",
            )
            print_localized(sentence.format(count, refused))
    if error is not None:
        click.echo(f"yesser: {error}", err=True)
    context.exit(ExitCode.TRY_AGAIN if error is not None else exit_code(report))


def _kafka(agency: str, *, needs_database: bool, stored_within_s: float) -> tuple[Destination, Run]:
    """The agency's topic, and what runs a job on it. Raises `NoKafka` or `NoPostgres` where it is not known."""
    import uvloop

    from infra.kafka.client_config import bootstrap
    from infra.observability.telemetry import setup
    from infra.postgres.connection import address
    from producers.publisher.over_kafka import KafkaDestination

    settings = Settings().acting_as("operator")  # unless YESSER_KAFKA_USER names the agency's own user
    bootstrap(settings)
    if needs_database:
        address(settings)
    setup(settings.model_copy(update={"log_level": "error"}), "publish")
    return KafkaDestination(settings, agency, stored_within_s), uvloop.run


def _source(file: BinaryIO, mapping: Path | None, raw: bool) -> Source:
    """What to publish. Raises `WrongInput` if the file clearly has no events."""
    if mapping is not None:
        return Table(file, read_mapping(mapping))
    opening = read_opening(file)
    if not raw:
        opening.require_events(getattr(file, "name", "<stdin>"))
    return EventFile(file, opening)


def _require_files(file: BinaryIO, mapping: Path | None, resume: Path | None, refused: Path | None) -> None:
    """A source that is read again must be a regular file, and no output may overwrite it."""
    if (mapping or refused) and not is_file(file):
        raise click.BadParameter("--mapping and --refused read it again: give a file, not a pipe", param_hint="FILE")
    for written, option in ((refused, "--refused"), (resume, "--resume")):
        if written is not None and written.exists() and is_file(file) and written.samefile(file.name):
            raise click.BadParameter("this would overwrite the published file: name another file", param_hint=option)


def exit_code(report: Report) -> int:
    """By the known verdicts."""
    return ExitCode.ANSWER_IS_NO if report.problem_lines() else ExitCode.OK


def sentences(report: Report, document: PublishDocument) -> Iterator[Bilingual]:
    """What became of the lines, and what to do next."""
    if report.verdicts is not None:
        number = Bilingual("{name} {count:,}", "{count:,} {name}")
        numbers = joined(number.format(name=name, count=getattr(document, name.en)) for name in COUNTS)
        lines = _lines(report.verdicts_count + len(report.unsent))
        yield Bilingual("الأسطر {}: {}.", "{}: {}.").format(lines, numbers)
    elif report.unsent:
        yield Bilingual("الأسطر التي لم تُرسل لما فيها من أخطاء: {}.", "{} not sent: correct the faults.").format(
            _lines(len(report.unsent))
        )
    stored = report.sent.lines_count - report.verdicts_count
    if stored and not report.is_final and report.verdicts is None:
        yield Bilingual(
            "الأسطر المخزّنة: {}؛ لم تُعرف نتائج التحقق منها بعد (لانتظارها استعمل --wait).",
            "{} stored; verdicts are not known yet (use --wait to wait for them).",
        ).format(_lines(stored))
    elif report.has_lost:
        yield Bilingual(
            "الأسطر التي لا نتيجة لها: {} (انشر الملف ثانية).", "{} without a verdict (publish the file again)."
        ).format(_lines(stored))
    elif stored and not report.is_final:
        yield Bilingual(
            "الأسطر المخزّنة: {}؛ لم تُعرف نتائج التحقق منها بعد (انشر الملف ثانية).",
            "{} stored; verdicts are not known yet (publish the file again).",
        ).format(_lines(stored))
    first, last = document.first_index, document.last_index
    if first is not None:
        yield Bilingual("في السجل: القيود {:,} … {:,}.", "In the log at entries {:,} … {:,}.").format(first, last)
    for row in document.problems[:SHOWN_MAX]:
        yield line_sentence(row.line, row.code, row.pointer, row.detail, row.column or None)
    if (more := len(document.problems) - SHOWN_MAX) > 0:
        yield MORE.format(more)
    if document.unlisted is not UNSET:
        yield unlisted_sentence(document.unlisted)
    yield from ahead_sentences(report.ahead)


def _lines(count: int) -> Bilingual:
    """A number of lines: its noun stands in the Arabic sentences."""
    return Bilingual("{:,}", "{:,} line" if count == 1 else "{:,} lines").format(count)
