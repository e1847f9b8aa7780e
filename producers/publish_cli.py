"""`yesser publish FILE --agency CODE`: exactly as in `events.md` §5.

Exit codes: 0 everything accepted or duplicate (without `--wait`: stored) · 1 something refused or conflicting ·
2 the outcome of some lines is unknown; publishing the file again is safe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import click
import orjson
import uvloop

from events.errors import YesserError
from events.fields import CODE_PATTERN
from infra.kafka import agency_topic, bootstrap
from infra.kafka_ends import end_offsets_reader
from infra.postgres import address
from infra.settings import Settings
from infra.telemetry import setup, span
from producers.errors import NotAccepted
from producers.lines import Filling, read_ids
from producers.progress import Bars
from producers.publisher import AgencyPublisher
from producers.publishing import judge_lines, send_file, start_sequence
from producers.report import Report

ALL_WELL: Final = 0
SOME_REFUSED: Final = 1
UNKNOWN: Final = 2
_SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Job:
    """What to publish, and how."""

    settings: Settings
    agency: str
    wait: bool
    sequence: bool
    delivery_timeout_s: float
    timeout_s: float | None


@click.command("publish")
@click.argument("file", type=click.File("rb"))
@click.option("--agency", required=True, metavar="CODE", help="The agency that speaks; its registered code.")
@click.option("--wait", is_flag=True, help="Return when each line has its verdict.")
@click.option("--sequence", is_flag=True, help="Number the lines (attribute `sequence`), one publisher at a time.")
@click.option("--timeout", "timeout_s", type=float, help="Longest wait for verdicts, in seconds (default: none).")
@click.option(
    "--delivery-timeout",
    "delivery_timeout_s",
    type=float,
    default=120.0,
    show_default=True,
    help="Longest wait for Kafka without any progress, in seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def publish(
    context: click.Context,
    file: BinaryIO,
    agency: str,
    wait: bool,
    sequence: bool,
    timeout_s: float | None,
    delivery_timeout_s: float,
    as_json: bool,
) -> None:
    """Send FILE (- for standard input), one CloudEvent in structured JSON per line, to the agency's topic.

    Lines go out as they are, however broken, so that the registrar judges them. Only `specversion`, `source` and
    `datacontenttype` are filled in where a line lacks them.
    """
    if not re.fullmatch(CODE_PATTERN.strip("^$"), agency):
        raise click.BadParameter("a code is a-z, then 1 to 30 of a-z, 0-9 and -", param_hint="--agency")
    settings = Settings()
    bootstrap(settings)
    if wait or sequence:
        address(settings)
    setup(settings.model_copy(update={"log_level": "error"}), "publish")
    job = Job(settings, agency, wait, sequence, delivery_timeout_s, timeout_s)
    report, error = uvloop.run(_publish(job, file))
    _add_ids(file, report)
    if as_json:
        click.echo(orjson.dumps(report.document()))
    else:
        _tell(report)
    if error is not None:
        click.echo(f"yesser: {error}", err=True)
    context.exit(UNKNOWN if error is not None else exit_code(report))


def exit_code(report: Report) -> int:
    """By the verdicts that are known."""
    return SOME_REFUSED if report.problem_lines() else ALL_WELL


async def _publish(job: Job, file: BinaryIO) -> tuple[Report, YesserError | None]:
    report = Report()
    with span("publish", process="publish"), Bars(_size(file)) as progress:
        try:
            filling = Filling(job.agency, await _sequence(job) if job.sequence else None)
            async with AgencyPublisher(
                job.settings,
                job.agency,
                acknowledged=report.sent.add,
                delivery_timeout_s=job.delivery_timeout_s,
            ) as publisher:
                await send_file(file, publisher, filling, report, progress)
            if job.wait:
                await judge_lines(job.settings, job.agency, report, progress, job.timeout_s)
                report.is_final = True
        except NotAccepted:
            if not report.sent.lines_count:
                raise
            return report, NotAccepted()
        except YesserError as error:
            return report, error
    return report, None


async def _sequence(job: Job) -> int:
    topic = agency_topic(job.agency)
    async with end_offsets_reader(job.settings) as end_offsets:
        ends = await end_offsets([topic])
    return await start_sequence(job.settings, job.agency, ends[topic], job.timeout_s)


def _size(file: BinaryIO) -> int | None:
    """Bytes of a file; None for a pipe."""
    return Path(file.name).stat().st_size if _is_file(file) else None


def _is_file(file: BinaryIO) -> bool:
    return isinstance(file.name, str) and Path(file.name).is_file()


def _add_ids(file: BinaryIO, report: Report) -> None:
    """Ids of the problem lines, read from the file again; a pipe's are those that the registrar could read."""
    numbers = report.problem_lines()
    if numbers and _is_file(file):
        with Path(file.name).open("rb") as again:
            report.ids = read_ids(again, numbers)


def _tell(report: Report) -> None:
    document = report.document()
    counts = ("accepted", "duplicates", "conflicts", "refused")
    known = [f"{document[name]:,} {name}" for name in counts if document[name] is not None]
    click.echo(f"{document['lines']:,} lines: {', '.join(known) or 'none'}.")
    if report.verdicts is None:
        click.echo(f"{report.sent.lines_count:,} stored in Kafka; verdicts were not asked for (--wait).")
    elif document["first_index"] is not None:
        click.echo(f"In the log at {document['first_index']:,} … {document['last_index']:,}.")
    problems = document["problems"]
    for row in problems[:_SHOWN_MAX]:
        click.echo(f"  line {row['line']}: {row['code']} at {row['pointer'] or 'the whole'}: {row['detail']}")
    if len(problems) > _SHOWN_MAX:
        click.echo(f"  … and {len(problems) - _SHOWN_MAX:,} more: use --json.")
