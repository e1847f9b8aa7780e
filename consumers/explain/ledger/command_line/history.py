"""`yesser ledger prove-statement | what-if | forecast`: what the entries of a partnership in the database give."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import orjson

from consumers.documents.formulas import percent_text
from consumers.documents.ledger.forecasts import FORECAST, WHAT_IF, Forecast, WhatIf
from consumers.documents.tables import grid
from consumers.explain.ledger.forecast_chart import svg
from consumers.explain.ledger.proving import entries_of, prove_statement
from consumers.explain.ledger.what_if import forecast, what_if
from consumers.revenue.statements.commands import partnerships_completion
from events.values.bilingual import Bilingual
from events.values.money import BASIS_POINTS, riyals_text
from infra.command_line.display import show
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import PeriodLabel
from infra.settings import Settings

_FOLDER = click.Path(file_okay=False, path_type=Path)
_TERMS = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("prove-statement")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.argument("period", type=PeriodLabel())
@click.option("--into", "folder", required=True, type=_FOLDER, help="A new folder.")
@json_option
def prove_statement_command(partnership: str, period: str, folder: Path, as_json: bool) -> None:
    """Write the statement of a closed PERIOD with every entry of its PARTNERSHIP and their proof to a folder.

    `yesser ledger verify-statement` computes the statement again from the folder alone.
    """
    report = asyncio.run(prove_statement(Settings(), partnership, period, folder))
    count = report["entries_count"]
    sentence = Bilingual(
        "{folder}: كشف {partnership} {period} و{count:,} من القيود التي تثبته.",
        "{folder}: the statement {partnership} {period}, and {count:,} entries that prove it.",
    ).format(folder=folder, partnership=partnership, period=period, count=count)
    print_confirmation({"folder": str(folder), **report}, as_json, sentence)


@click.command("what-if")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.option("--terms", "file", required=True, type=_TERMS, help="JSON with the members of the terms that differ.")
@json_option
def what_if_command(partnership: str, file: Path, as_json: bool) -> None:
    """Price the real history of a PARTNERSHIP under other terms, and show the difference by period and party.

    The other terms hold from the signing on. Nothing is written.
    """
    try:
        terms = orjson.loads(file.read_bytes())
    except ValueError as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from None
    if not isinstance(terms, dict):
        raise click.UsageError(f"{file} is not a JSON object with members of the terms, such as bands.")
    comparison = what_if(partnership, asyncio.run(entries_of(Settings(), f"partnership/{partnership}")), terms)
    print_result(comparison, as_json, lambda: _show_what_if(comparison), indented=True)


@click.command("forecast")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.option("--svg", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Write a chart to this file.")
@json_option
def forecast_command(partnership: str, picture: Path | None, as_json: bool) -> None:
    """Show what a PARTNERSHIP brought of its expected revenue, what is to come, and what the guarantee may still cost.

    The remaining periods are priced as their statements would be: at the pace of the closed ones, as expected, and if
    nothing more comes. Nothing is written to the ledger.
    """
    document = forecast(asyncio.run(entries_of(Settings(), f"partnership/{partnership}")))
    if picture is not None:
        picture.write_text(svg(document), encoding="utf-8")
    print_result(document, as_json, lambda: _show_forecast(document, picture), indented=True)


def _show_forecast(found: Forecast, picture: Path | None) -> None:
    show(grid(FORECAST, found.periods))
    pace = percent_text(BASIS_POINTS if found.pace_bp is None else found.pace_bp)
    detail = Bilingual(
        "الفترات التي لم تُقفل محسوبة بوتيرة الفترات المقفلة: {} من المتوقع.",
        "Periods that are not closed are at the pace of the closed ones: {} of the expected revenue.",
    ).format(pace)
    print_localized(detail)
    at_pace, without = map(riyals_text, (found.top_ups_to_come_halalas.pace, found.top_ups_to_come_halalas.nothing))
    sentence = Bilingual(
        "التكملة حتى نهاية العقد: {} بهذه الوتيرة، و{} إن توقف الإيراد.",
        "Top-ups to the end of the term: {} at this pace, {} if no revenue comes.",
    ).format(at_pace, without)
    print_localized(sentence)
    if picture is not None:
        print_localized(Bilingual("كُتب الرسم: {}", "Chart written: {}").format(picture))


def _show_what_if(found: WhatIf) -> None:
    show(grid(WHAT_IF, found.periods))
    if found.uncounted:
        count = len(found.uncounted)
        sentence = Bilingual("قيود لا تُحسب بهذه الشروط: {:,}.", "Entries that do not count under these terms: {:,}.")
        print_localized(sentence.format(count))
