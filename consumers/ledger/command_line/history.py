"""`yesser ledger prove-statement | what-if | forecast`: what the entries of a partnership in the database give."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import orjson

from consumers.ledger.forecast import Forecast, forecast
from consumers.ledger.forecast_chart import svg
from consumers.ledger.proving import entries_of, prove_statement
from consumers.ledger.what_if import WhatIf, what_if
from consumers.revenue.statements.commands import partnerships_completion
from consumers.revenue.statements.words import percent_text
from events.values.money import BASIS_POINTS, riyals_text
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import localized, print_localized
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
    print_confirmation(
        {"folder": str(folder), **report},
        as_json,
        f"{folder}: كشف {partnership} {period} و{count:,} من القيود التي تثبته.",
        f"{folder}: the statement {partnership} {period}, and {count:,} entries that prove it.",
    )


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
    found = what_if(asyncio.run(entries_of(Settings(), f"partnership/{partnership}")), terms)
    print_result(found.document(partnership), as_json, lambda: _show_what_if(partnership, found), indented=True)


@click.command("forecast")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.option("--svg", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Write a chart to this file.")
@json_option
def forecast_command(partnership: str, picture: Path | None, as_json: bool) -> None:
    """Show what a PARTNERSHIP brought of its expected revenue, what is to come, and what the guarantee may still cost.

    The remaining periods are priced as their statements would be: at the pace of the closed ones, as expected, and if
    nothing more comes. Nothing is written to the ledger.
    """
    found = forecast(asyncio.run(entries_of(Settings(), f"partnership/{partnership}")))
    if picture is not None:
        picture.write_text(svg(found), encoding="utf-8")
    print_result(found.document(), as_json, lambda: _show_forecast(found, picture), indented=True)


def _show_forecast(found: Forecast, picture: Path | None) -> None:
    columns = [
        Column("الفترة", "Period"),
        Column("المتوقع", "Expected", right=True),
        Column("الصافي", "Net", right=True),
        Column("المتحقق منه", "Of it so far", drop=2, right=True),
        Column("للشريك", "Partner", drop=1, right=True),
        Column("منه التكملة", "Of which top-up", right=True),
        Column("التكملة إن توقف الإيراد", "Top-up without revenue", drop=3, right=True),
    ]
    rows = [
        [
            row.period if row.is_closed else f"{row.period} *",
            riyals_text(row.expected_halalas),
            riyals_text(row.statements["pace"].net_halalas),
            riyals_text(row.net_so_far_halalas),
            riyals_text(row.statements["pace"].partner_total_halalas),
            riyals_text(row.statements["pace"].top_up_halalas),
            riyals_text(row.statements["nothing"].top_up_halalas),
        ]
        for row in found.periods
    ]
    title = localized(
        f"توقعات الشراكة {found.partnership_id}، بالريال", f"Forecast of partnership {found.partnership_id}, in riyals"
    )
    show(Grid(title, columns, rows))
    pace = percent_text(BASIS_POINTS if found.pace is None else int(found.pace * BASIS_POINTS))
    print_localized(
        f"* فترات لم تُقفل، محسوبة بوتيرة الفترات المقفلة: {pace} من المتوقع.",
        f"* not closed yet, at the pace of the closed periods: {pace} of the expected revenue.",
    )
    at_pace, without = (riyals_text(found.exposure_halalas(name)) for name in ("pace", "nothing"))
    print_localized(
        f"التكملة حتى نهاية العقد: {at_pace} بهذه الوتيرة، و{without} إن توقف الإيراد.",
        f"Top-ups to the end of the term: {at_pace} at this pace, {without} if no revenue comes.",
    )
    if picture is not None:
        print_localized(f"كُتب الرسم: {picture}", f"Chart written: {picture}")


def _show_what_if(partnership: str, found: WhatIf) -> None:
    columns = [
        Column("الفترة", "Period"),
        Column("للشريك فعلًا", "Partner, actual", right=True),
        Column("للشريك افتراضًا", "Partner, what if", right=True),
        Column("الفرق", "Difference", right=True),
        Column("فرق الخزينة", "Treasury's difference", right=True, drop=1),
    ]
    rows = [
        [
            row.period,
            *(None if side is None else riyals_text(side.partner_total_halalas) for side in (row.actual, row.supposed)),
            *(
                None if (changed := row.difference(name)) is None else riyals_text(changed)
                for name in ("partner_total_halalas", "treasury_total_halalas")
            ),
        ]
        for row in found.periods
    ]
    title = localized(
        f"الشراكة {partnership} بشروط أخرى، بالريال", f"Partnership {partnership} under other terms, in riyals"
    )
    show(Grid(title, columns, rows))
    if found.uncounted:
        count = len(found.uncounted)
        print_localized(
            f"قيود لا تُحسب بهذه الشروط: {count:,}.", f"Entries that do not count under these terms: {count:,}."
        )
