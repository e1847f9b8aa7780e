"""`yesser publish FILE --agency CODE`: exactly as in `events.md` §5, and beyond it tables, bookmarks, what was refused.

Exit codes: 0 everything accepted or duplicate (without `--wait`: stored) · 1 something refused or conflicting ·
2 the outcome of some lines is unknown; publishing the file again is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import orjson
import uvloop

from events.errors import YesserError
from infra.kafka import agency_topic, bootstrap
from infra.kafka_ends import end_offsets_reader
from infra.language import say
from infra.parameters import AgencyCode
from infra.postgres import address
from infra.settings import Settings
from infra.telemetry import setup, span
from producers.bookmark import Bookmark, WrongBookmark
from producers.csv_mapping import WrongMapping, read_mapping
from producers.csv_rows import WrongTable
from producers.errors import NotAccepted
from producers.lines import Filling
from producers.progress import Bars
from producers.publisher import AgencyPublisher
from producers.publishing import judge_lines, start_sequence
from producers.refusals import in_both_languages
from producers.report import Report
from producers.sources import EventFile, Sending, Source, Table

ALL_WELL: Final = 0
SOME_REFUSED: Final = 1
UNKNOWN: Final = 2
_SHOWN_MAX: Final = 20
COUNTS: Final = {"accepted": "المقبول", "duplicates": "المكرر", "conflicts": "المتعارض", "refused": "المرفوض"}


@dataclass(frozen=True, slots=True)
class Job:
    """What to publish, and how. `refused` is the file that takes what was refused, `resume` the one with the state."""

    settings: Settings
    agency: str
    file: BinaryIO
    source: Source
    wait: bool
    sequence: bool
    delivery_timeout_s: float
    timeout_s: float | None
    resume: Path | None = None
    refused: Path | None = None


@click.command("publish")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--agency",
    required=True,
    type=AgencyCode(),
    metavar="CODE",
    help="The agency that speaks; its registered code.",
)
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
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FILE is CSV, and this TOML or JSON file says which column goes where.",
)
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="STATE",
    help="Keep in STATE how far publishing came, and go on there.",
)
@click.option(
    "--refused",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Wait, and write the refused lines into FILE, to be corrected and sent again.",
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
    mapping: Path | None,
    resume: Path | None,
    refused: Path | None,
    as_json: bool,
) -> None:
    """Send FILE (- for standard input), one CloudEvent in structured JSON per line, to the agency's topic.

    Lines go out as they are, however broken, so that the registrar judges them. Only `specversion`, `source` and
    `datacontenttype` are filled in where a line lacks them.
    """
    _require_files(file, mapping, resume, refused)
    source = EventFile(file) if mapping is None else Table(file, read_mapping(mapping))
    settings = Settings()
    bootstrap(settings)
    wait = wait or refused is not None
    if wait or sequence:
        address(settings)
    setup(settings.model_copy(update={"log_level": "error"}), "publish")
    job = Job(settings, agency, file, source, wait, sequence, delivery_timeout_s, timeout_s, resume, refused)
    report, error = uvloop.run(_publish(job))
    if report.problem_lines() and _is_file(file):
        # Ids of the problem lines, read from the file again; a pipe's are those that the registrar could read.
        report.ids = source.ids(report.problem_lines())
    written = _write_refused(job, report)
    if as_json:
        click.echo(orjson.dumps({**report.document(), **written}))
    else:
        _tell(report)
        if written:
            count = len(written["refused_lines"])
            say(
                f"الأسطر المرفوضة ({count:,}) في {refused}: صحّحها ثم انشرها.",
                f"{count:,} refused lines are in {refused}: correct them, publish it.",
            )
    if error is not None:
        click.echo(f"yesser: {error}", err=True)
    context.exit(UNKNOWN if error is not None else exit_code(report))


def _require_files(file: BinaryIO, mapping: Path | None, resume: Path | None, refused: Path | None) -> None:
    """What is read again must be a file, and nothing that is written may be what is read."""
    if (mapping or refused) and not _is_file(file):
        raise click.BadParameter("it is read again for --mapping and --refused: give a file", param_hint="FILE")
    for written, option in ((refused, "--refused"), (resume, "--resume")):
        if written is not None and written.exists() and _is_file(file) and written.samefile(file.name):
            raise click.BadParameter("it would overwrite what is published: name another file", param_hint=option)


def exit_code(report: Report) -> int:
    """By the verdicts that are known."""
    return SOME_REFUSED if report.problem_lines() else ALL_WELL


async def _publish(job: Job) -> tuple[Report, YesserError | None]:
    report = Report()
    bookmark = Bookmark.open(job.resume, job.agency, report) if job.resume else None
    with span("publish", process="publish"), Bars(_size(job.file)) as progress:
        try:
            filling = Filling(job.agency, await _sequence(job) if job.sequence else None)
            async with AgencyPublisher(
                job.settings,
                job.agency,
                acknowledged=bookmark.acknowledged if bookmark else report.sent.add,
                delivery_timeout_s=job.delivery_timeout_s,
            ) as publisher:
                await job.source.send(Sending(publisher, filling, report, progress, bookmark))
            if bookmark:
                bookmark.end()
            if job.wait:
                await judge_lines(job.settings, job.agency, report, progress, job.timeout_s)
                report.is_final = True
        except NotAccepted:
            if not report.sent.lines_count:
                raise
            return report, NotAccepted()
        except (WrongTable, WrongMapping, WrongBookmark):
            raise
        except YesserError as error:
            return report, error
        finally:
            if bookmark:
                bookmark.save()
    return report, None


def _write_refused(job: Job, report: Report) -> dict[str, Any]:
    """Write what was refused, once all verdicts are known: the file's n-th line is the n-th of `refused_lines`."""
    if job.refused is None or not report.is_final:
        return {}
    numbers = report.problem_lines()
    # What was refused may be so for a national id in it: nobody else may read it.
    job.refused.touch(mode=0o600)
    with job.refused.open("wb") as target:
        job.source.copy(target, numbers)
    return {"refused_file": str(job.refused), "refused_lines": sorted(numbers)}


async def _sequence(job: Job) -> int:
    topic = agency_topic(job.agency)
    async with end_offsets_reader(job.settings) as end_offsets:
        ends = await end_offsets([topic])
    return await start_sequence(job.settings, job.agency, ends[topic], job.timeout_s)


def _size(file: BinaryIO) -> int | None:
    """Bytes of a file; None for a pipe."""
    return Path(file.name).stat().st_size if _is_file(file) else None


def _is_file(file: BinaryIO) -> bool:
    name = getattr(file, "name", None)
    return isinstance(name, str) and Path(name).is_file()


def _tell(report: Report) -> None:
    document = report.document()
    known = [name for name in COUNTS if document[name] is not None]
    lines = document["lines"]
    say(
        f"الأسطر {lines:,}: {'، '.join(f'{COUNTS[name]} {document[name]:,}' for name in known)}.",
        f"{lines:,} lines: {', '.join(f'{document[name]:,} {name}' for name in known)}.",
    )
    if report.verdicts is None:
        stored = report.sent.lines_count
        say(
            f"خُزّن منها في كافكا {stored:,}؛ لم تُطلب الأحكام (‎--wait‎).",
            f"{stored:,} stored in Kafka; verdicts were not asked for (--wait).",
        )
    elif document["first_index"] is not None:
        first, last = document["first_index"], document["last_index"]
        say(f"في السجل: القيود {first:,} … {last:,}.", f"In the log at entries {first:,} … {last:,}.")
    problems = in_both_languages(document["problems"])
    for row in problems[:_SHOWN_MAX]:
        line, code, pointer = row["line"], row["code"], row["pointer"]
        say(
            f"  السطر {line}: {code} في {pointer or 'الحدث كله'}: {row['detail_ar']}",
            f"  line {line}: {code} at {pointer or 'the whole event'}: {row['detail']}",
        )
    if (more := len(problems) - _SHOWN_MAX) > 0:
        say(f"  … وغيرها {more:,}: استعمل ‎--json‎.", f"  … and {more:,} more: use --json.")
