"""`yesser rebuild [NAME] [--compare] [--swap]`: rebuilds read models beside the live ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import uvloop
from msgspec import Struct

from consumers.documents.tables import grid
from consumers.models.registry import CONSUMERS
from consumers.replay.fold.consumer import Consumer
from consumers.replay.rebuild.comparison import FirstDifference
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
    """What `yesser rebuild` found. `log_index`, of the hashes and the comparison, is the lowest of the consumers'."""

    log_index: int
    read_models: list[ReadModel]
    swapped: list[str]
    swapped_at: dict[str, int]
    ok: bool
    first_difference: FirstDifference | None


@click.command("rebuild")
@click.argument("name", required=False, type=click.Choice(sorted(CONSUMERS)))
@click.option("--compare", is_flag=True, help="Compare with the live tables (default unless only --swap).")
@click.option("--swap", is_flag=True, help="Replace the live tables with the rebuilt ones.")
@json_option
def rebuild_command(name: str | None, compare: bool, swap: bool, as_json: bool) -> None:
    """Rebuild the read models of NAME (or all) from the log.

    Both are compared at the same index of the log. With --swap the rebuilt tables replace the live ones. A rebuild
    sends no events. Exit code 1: a row differs.
    """
    chosen = [CONSUMERS[name]] if name else list(CONSUMERS.values())
    results = uvloop.run(
        rebuild_all(Settings().acting_as("operator"), chosen, RebuildOptions(compare=compare or not swap, swap=swap))
    )
    report = report_of(results)
    print_result(report, as_json, lambda: show(results), indented=True)
    sys.exit(ExitCode.OK if report.ok else ExitCode.ANSWER_IS_NO)


async def rebuild_all(settings: Settings, consumers: Sequence[Consumer], options: RebuildOptions) -> list[Rebuilt]:
    """Rebuild one consumer after the other, with a progress bar each on stderr if that is a terminal."""
    async with connected(settings, "rebuild") as connection:
        ends = [await position_of(connection, consumer) for consumer in consumers]
    results = []
    for consumer, end in zip(consumers, ends, strict=True):
        with progress_bar(consumer.name, end) as update:
            results.append(await rebuild(settings, consumer, options, update.on))
    return results


def report_of(results: Sequence[Rebuilt]) -> Report:
    differences = [result.first_difference for result in results if result.first_difference is not None]
    swapped_at = {result.consumer: result.swapped_at for result in results if result.swapped_at is not None}
    return Report(
        log_index=min(result.log_index for result in results),
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
