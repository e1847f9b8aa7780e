"""`yesser publish FILE --agency CODE` (`events.md` §5), with tables, resumption and a file of refused lines.

Exit codes: 0 all lines accepted or duplicate (without `--wait`: stored) · 1 some refused or conflicting · 2 wrong
use, nothing was sent · 75 the outcome of some lines is unknown; publishing the file again is safe.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

import click
import uvloop
from msgspec import UNSET

from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_json
from infra.command_line.parameters import AgencyCode, OutputFile, mapping_option
from infra.command_line.usage import usage_errors
from infra.errors import WrongInput
from infra.event_files.lint import unlisted_sentences
from infra.event_files.opening import FIRST_LINES, read_opening
from infra.kafka.client_config import bootstrap
from infra.observability.telemetry import setup
from infra.postgres.connection import address
from infra.settings import Settings
from infra.tables.mapping import read_mapping
from producers.publisher.job import Job, is_file, run_job, write_refused
from producers.publisher.report import PublishDocument, Report, fault_sentences
from producers.publisher.sources import EventFile, Source, Table

_SHOWN_MAX: Final = 20
COUNTS: Final = {"accepted": "المقبول", "duplicates": "المكرر", "conflicts": "المتعارض", "refused": "المرفوض"}


@click.command("publish")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--agency",
    required=True,
    type=AgencyCode(),
    metavar="CODE",
    help="The registered code of the sending agency.",
)
@click.option("--wait", is_flag=True, help="Return when each line has its verdict.")
@click.option("--sequence", is_flag=True, help="Number the lines (attribute `sequence`), one publisher at a time.")
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    help="Longest wait for verdicts, and for Kafka without any progress, in seconds (default: none).",
)
@click.option(
    "--delivery-timeout",
    "delivery_timeout_s",
    type=float,
    default=120.0,
    show_default=True,
    help="Longest wait for Kafka without any progress, in seconds.",
)
@mapping_option
@click.option("--raw", is_flag=True, help="Send the lines even if none of the first 20 begins with {.")
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
    agency: str,
    wait: bool,
    sequence: bool,
    timeout_s: float | None,
    delivery_timeout_s: float,
    mapping: Path | None,
    raw: bool,
    resume: Path | None,
    refused: Path | None,
    as_json: bool,
) -> None:
    """Send FILE (- for standard input), one CloudEvent in structured JSON per line, to the agency's topic.

    Lines are sent unchanged, so that the registrar validates them. Only missing `specversion`, `source` and
    `datacontenttype` are filled in. A file without events, such as a table without --mapping, is not sent.
    """
    _require_files(file, mapping, resume, refused)
    if raw and mapping:
        raise click.BadParameter("--raw does not go with --mapping: leave one of them out", param_hint="--raw")
    with usage_errors():
        source = _source(file, mapping, raw)
    settings = Settings().acting_as("operator")  # unless YESSER_KAFKA_USER names the agency's own user
    bootstrap(settings)
    wait = wait or refused is not None
    if wait or sequence:
        address(settings)
    setup(settings.model_copy(update={"log_level": "error"}), "publish")
    job = Job(settings, agency, file, source, wait, sequence, delivery_timeout_s, timeout_s, resume, refused)
    with usage_errors():
        report, error = uvloop.run(run_job(job))
    if report.problem_lines() and is_file(file):
        # Ids are read from the file again; for a pipe, only those that the registrar could read are known.
        report.ids = source.ids(report.problem_lines())
    document = report.document()
    write_refused(job, report, document)
    if as_json:
        print_json(document)
    else:
        print_report(report, document)
        if error is None and not report.lines:
            print_localized("لا أسطر في الملف: لم يُرسل شيء.", "The file has no lines: nothing was sent.")
        if document.refused_lines is not UNSET:
            count = len(document.refused_lines)
            print_localized(
                f"الأسطر المرفوضة ({count:,}) في {refused}: صحّحها ثم انشرها.",
                f"{count:,} refused lines are in {refused}: correct them and publish the file.",
            )
    if error is not None:
        click.echo(f"yesser: {error}", err=True)
    context.exit(ExitCode.TRY_AGAIN if error is not None else exit_code(report))


def _source(file: BinaryIO, mapping: Path | None, raw: bool) -> Source:
    """What to publish. Raises `WrongInput` if the file clearly has no events."""
    if mapping is not None:
        return Table(file, read_mapping(mapping))
    opening = read_opening(file)
    if not (raw or opening.holds_events):
        name = getattr(file, "name", "<stdin>")
        raise WrongInput(
            f"{name}: none of the first {FIRST_LINES} lines begins with {{, so these are not events. Nothing was"
            " sent. A table needs --mapping (docs/files.md). To send the lines unchanged, use --raw."
        )
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


def print_report(report: Report, document: PublishDocument) -> None:
    if report.verdicts is not None:
        lines = report.verdicts_count + len(report.unsent)
        counts = {name: getattr(document, name) for name in COUNTS}
        print_localized(
            f"الأسطر {lines:,}: {'، '.join(f'{COUNTS[name]} {count:,}' for name, count in counts.items())}.",
            f"{_lines(lines)}: {', '.join(f'{count:,} {name}' for name, count in counts.items())}.",
        )
    elif report.unsent:
        unsent = len(report.unsent)
        print_localized(
            f"الأسطر التي لم تُرسل لأنها أكبر مما يتسع له الموضوع: {unsent:,}.",
            f"{_lines(unsent)} not sent: too large for a topic.",
        )
    stored = report.sent.lines_count - report.verdicts_count
    if stored and not report.is_final and report.verdicts is None:
        print_localized(
            f"الأسطر المخزّنة في كافكا: {stored:,}؛ لم تُعرف نتائج التحقق منها بعد (لانتظارها استعمل ‎--wait‎).",
            f"{_lines(stored)} stored in Kafka; verdicts are not known yet (use --wait to wait for them).",
        )
    elif report.has_lost:
        print_localized(
            f"الأسطر التي لا نتيجة لها: {stored:,} (انشر الملف ثانية).",
            f"{_lines(stored)} without a verdict (publish the file again).",
        )
    elif stored and not report.is_final:
        print_localized(
            f"الأسطر المخزّنة في كافكا: {stored:,}؛ لم تُعرف نتائج التحقق منها بعد (انشر الملف ثانية).",
            f"{_lines(stored)} stored in Kafka; verdicts are not known yet (publish the file again).",
        )
    first, last = document.first_index, document.last_index
    if first is not None:
        print_localized(f"في السجل: القيود {first:,} … {last:,}.", f"In the log at entries {first:,} … {last:,}.")
    for row in document.problems[:_SHOWN_MAX]:
        ar, en = fault_sentences(row.code, row.pointer, row.detail)
        print_localized(f"  السطر {row.line}: {ar}", f"  line {row.line}: {en}")
    if (more := len(document.problems) - _SHOWN_MAX) > 0:
        print_localized(f"  … وغيرها {more:,}: استعمل ‎--json‎.", f"  … and {more:,} more: use --json.")
    if document.unlisted is not UNSET:
        print_localized(*unlisted_sentences(document.unlisted))


def _lines(count: int) -> str:
    return f"{count:,} line" if count == 1 else f"{count:,} lines"
