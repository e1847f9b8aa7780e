"""`yesser rebuild [NAME]`: rebuilds read models beside the live ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import uvloop
from msgspec import Struct

from consumers.documents.tables import grid
from consumers.models.registry import CONSUMERS
from consumers.proof.commands.rebuild_ranges import Source, fold_ranges
from consumers.proof.commitments.committed_rows import copy_committed
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import PACE_PERCENT_MIN, Progress
from consumers.replay.rebuild.comparison import FirstDifference
from consumers.replay.rebuild.lasting_scratch import LastingScratch
from consumers.replay.rebuild.rebuild import READ_MODELS, ReadModel, RebuildOptions, Rebuilt, position_of, rebuild
from events.values.bilingual import Bilingual
from infra.command_line import display
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.command_line.progress_bar import progress_bar
from infra.postgres.connection import connected
from infra.settings import Settings


class Report(Struct, frozen=True):
    """What `yesser rebuild` found. `log_index`, of the hashes and the comparison, is the lowest of the consumers'.

    `folded_from` names the consumers whose first entries this run did not fold, with the first one that it did;
    `copied` those of which the rows of so many entries were copied, and not folded by any run.
    """

    log_index: int
    folded_from: dict[str, int]
    copied: dict[str, int]
    read_models: list[ReadModel]
    swapped: list[str]
    swapped_at: dict[str, int]
    ok: bool
    first_difference: FirstDifference | None


@click.command("rebuild")
@click.argument("name", required=False, type=click.Choice(sorted(CONSUMERS)))
@click.option("--compare", is_flag=True, help="Compare with the live tables (default unless only --swap).")
@click.option("--swap", is_flag=True, help="Replace the live tables with the rebuilt ones.")
@click.option("--restart", is_flag=True, help="Begin again, and drop what an interrupted rebuild has left.")
@click.option(
    "--pace",
    type=click.IntRange(PACE_PERCENT_MIN, 100),
    default=100,
    show_default=True,
    metavar="PERCENT",
    help="Fold for this share of the time and rest for the rest, so that the live system keeps its speed.",
)
@click.option(
    "--from",
    "mirror",
    metavar="MIRROR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read entries from a mirror of this log; only those that it lacks from PostgreSQL.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="NUMBER",
    help="Fold so many ranges of the log at once where rows follow from single entries (event-index): a core for each,"
    " and one more of PostgreSQL's.",
)
@click.option(
    "--from-commitment",
    is_flag=True,
    help="Trust the newest rows that the log commits to: copy the live rows as they were there, require the committed"
    " hash, and fold only what follows.",
)
@json_option
def rebuild_command(
    name: str | None,
    compare: bool,
    swap: bool,
    restart: bool,
    pace: int,
    mirror: Path | None,
    processes: int,
    from_commitment: bool,
    as_json: bool,
) -> None:
    """Rebuild the read models of NAME (or all) from the log.

    Both are compared at the same index of the log. With --swap the rebuilt tables replace the live ones. A rebuild
    sends no events. A rebuild that was interrupted, even by a kill or a crash, goes on where it was when the command is
    run again. Exit code 1: a row differs.
    """
    chosen = [CONSUMERS[name]] if name else list(CONSUMERS.values())
    settings, source = Settings().acting_as("operator"), Source(pace, mirror)
    head_start = HeadStart(settings, source, processes, from_commitment)
    options = RebuildOptions(
        compare=compare or not swap, swap=swap, restart=restart, head_start=head_start, may_copy=from_commitment
    )
    results = uvloop.run(rebuild_all(settings, chosen, options, source))
    report = report_of(results)
    print_result(report, as_json, lambda: show(results), indented=True)
    sys.exit(ExitCode.OK if report.ok else ExitCode.ANSWER_IS_NO)


@dataclass(frozen=True, slots=True)
class HeadStart:
    """What a rebuild need not fold entry by entry in this process: rows that are copied, and ranges for others."""

    settings: Settings
    source: Source
    processes: int
    from_commitment: bool

    async def __call__(self, scratch: LastingScratch, progress: Progress) -> None:
        if self.from_commitment and scratch.position == 0:
            await copy_committed(scratch, self.settings)
            progress(scratch.position)
        if self.processes > 1 and scratch.consumer.folds_entries_apart:
            await fold_ranges(scratch, self.settings, self.source, self.processes, progress)


async def rebuild_all(
    settings: Settings, consumers: Sequence[Consumer], options: RebuildOptions, source: Source
) -> list[Rebuilt]:
    """Rebuild one consumer after the other, with a progress bar each on stderr if that is a terminal."""
    async with connected(settings, "rebuild") as connection:
        ends = [await position_of(connection, consumer) for consumer in consumers]
    results = []
    async with source.reading(settings) as reading:
        options = replace(options, reading=reading)
        for consumer, end in zip(consumers, ends, strict=True):
            with progress_bar(consumer.name, end) as update:
                results.append(await rebuild(settings, consumer, options, update.on, _say_where_it_goes_on))
    return results


def _say_where_it_goes_on(scratch: LastingScratch) -> None:
    if scratch.folded_from:
        sentence = Bilingual(
            "{}: تُستأنف إعادة البناء من القيد {:,}؛ ويبدؤها الخيار --restart من جديد.",
            "{}: the rebuild goes on from entry {:,}; --restart begins it again.",
        )
        print_localized(sentence.format(scratch.consumer.name, scratch.folded_from), err=True)


def report_of(results: Sequence[Rebuilt]) -> Report:
    differences = [result.first_difference for result in results if result.first_difference is not None]
    swapped_at = {result.consumer: result.swapped_at for result in results if result.swapped_at is not None}
    return Report(
        log_index=min(result.log_index for result in results),
        folded_from={result.consumer: result.folded_from for result in results if result.folded_from},
        copied={result.consumer: result.copied for result in results if result.copied},
        read_models=[model for result in results for model in result.read_models],
        swapped=[*swapped_at],
        swapped_at=swapped_at,
        ok=all(result.ok for result in results),
        first_difference=min(differences, key=lambda found: (found.index is None, found.index or 0), default=None),
    )


def show(results: Sequence[Rebuilt]) -> None:
    """Print the read models as a table, then the first difference."""
    display.show(grid(READ_MODELS, [model for result in results for model in result.read_models]))
    for result in results:
        if result.first_difference is not None:
            _show_difference(result.first_difference)
        if result.copied:
            sentence = Bilingual(
                "{}: نُسخت صفوف أول {:,} من القيود ولم يُعد بناؤها؛ وبصمتها منشورة في السجل.",
                "{}: the rows of the first {:,} log entries were copied, not rebuilt; the log commits to their hash.",
            ).format(result.consumer, result.copied)
            print_localized(sentence)
        if result.swapped:
            sentence = Bilingual(
                "{}: البصمات بعد {:,} من القيود، والجداول المعاد بناؤها هي الحالية، بعد {:,}.",
                "{}: the hashes are those after {:,} log entries; the rebuilt tables are live, after {:,}.",
            ).format(result.consumer, result.log_index, result.swapped_at)
            print_localized(sentence)


def _show_difference(found: FirstDifference) -> None:
    if found.index is None:
        words = Bilingual("{}: الجداول مختلفة، ولا يدل أي صف على قيد.", "{} differs; no row names a log entry.")
        print_localized(words.format(found.consumer))
    else:
        detail = Bilingual("{} مختلف، أولًا عند القيد {:,}.", "{} differs, first at log entry {:,}.")
        print_localized(detail.format(found.consumer, found.index))
    if found.event is not None:
        event, kind, source = found.event["id"], found.event["type"], found.event["source"]
        print_localized(Bilingual("  الحدث {} ({}) من {}", "  event {} ({}) of {}").format(event, kind, source))
    for row in found.rows:
        sentence = Bilingual(
            "  {read_model} {key}: الحالي {live}، والمعاد بناؤه {rebuilt}",
            "  {read_model} {key}: live {live}, rebuilt {rebuilt}",
        ).format(read_model=row.read_model, key=row.key, live=row.live, rebuilt=row.rebuilt)
        print_localized(sentence)
