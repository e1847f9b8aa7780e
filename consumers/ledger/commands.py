"""`yesser ledger`: the ledger's own commands, and the proof of a statement that is verified without the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from consumers.ledger.explain_command import explain_command
from consumers.ledger.forecast import Forecast, forecast
from consumers.ledger.forecast_chart import svg
from consumers.ledger.reconcile import (
    FINDING_COLUMNS,
    FINDING_WORDS,
    FileRow,
    Finding,
    finding_row,
    reconcile,
    totals,
    type_of,
)
from consumers.ledger.statement_proof import StatementProof, entries_of, prove_statement, verify_statement
from consumers.ledger.what_if import WhatIf, what_if
from consumers.operations.audit_options import audit_source, verifier_of
from consumers.revenue.commands import ledger
from consumers.revenue.statements.commands import partnerships_completion
from consumers.revenue.statements.words import percent_text
from events.values.money import BASIS_POINTS, riyals_text
from infra.command_line.display import Column, Grid, show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import PeriodLabel
from infra.command_line.table_files import write_csv
from infra.command_line.usage import usage_errors
from infra.errors import WrongInput
from infra.settings import Settings
from infra.tables.mapping import MappingDocument, read_mapping
from infra.tables.rows import mapped_rows

__all__ = ["ledger"]
ledger.add_command(explain_command)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_TERMS = click.Path(exists=True, dir_okay=False, path_type=Path)
_TOKEN = click.Path(exists=True, dir_okay=False, path_type=Path)


@ledger.command("prove-statement")
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
        f"{folder}: كشف {partnership} {period} و{count:,} قيد تثبته.",
        f"{folder}: the statement {partnership} {period}, and {count:,} entries that prove it.",
    )


@ledger.command("verify-statement")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--vkey", help="The log's verifier key, from its operator; default: the one beside the log's key.")
@click.option("--against", metavar="URL-OR-FOLDER", help="A log: no other entry of the partnership exists in it.")
@click.option("--token-file", type=_TOKEN, help="File with a token that may read entries of that log.")
@json_option
def verify_statement_command(
    folder: Path, vkey: str | None, against: str | None, token_file: Path | None, as_json: bool
) -> None:
    """Verify a statement in a FOLDER of `prove-statement`: signature, entries, and every figure from the entries.

    Without --against an entry may have been left out; with it, the log is read up to the closing entry. Exit code 76:
    the statement does not follow from the entries, or something was changed.
    """
    source = None if against is None else audit_source(against, vkey, token_file)
    found = asyncio.run(verify_statement(folder, verifier_of(None, vkey), source))
    _print(found, as_json)


@ledger.command("what-if")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.option("--terms", "file", required=True, type=_TERMS, help="JSON with the members of the terms that differ.")
@json_option
def what_if_command(partnership: str, file: Path, as_json: bool) -> None:
    """Price the real history of a PARTNERSHIP under other terms, and show the difference by period and party.

    The other terms hold from the signing on. Nothing is written.
    """
    try:
        terms = json.loads(file.read_bytes())
    except ValueError as error:
        raise click.UsageError(f"{file} is not JSON: {error}") from None
    if not isinstance(terms, dict):
        raise click.UsageError(f"{file} is not a JSON object with members of the terms, such as bands.")
    found = what_if(asyncio.run(entries_of(Settings(), f"partnership/{partnership}")), terms)
    print_result(found.document(partnership), as_json, lambda: _show_what_if(partnership, found), indented=True)


@ledger.command("forecast")
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


@ledger.command("reconcile")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.argument("file", type=click.File("rb"))
@click.option("--mapping", "mapping_file", required=True, type=_TERMS, help="How its columns map, as for `publish`.")
@click.option(
    "--csv", "into", type=click.Path(dir_okay=False, path_type=Path), help="Write every finding to this file."
)
@json_option
@click.pass_context
def reconcile_command(
    context: click.Context, partnership: str, file: BinaryIO, mapping_file: Path, into: Path | None, as_json: bool
) -> None:
    """Compare a partner's or a bank's table of receipts, reversals or payouts with the log.

    The mapping is that of `yesser publish`; its constant "/type" says which of the three the rows are. Rows without an
    id are matched by date and amount. Exit code 1: something is missing, different, doubled or unreadable.
    """
    with usage_errors():
        kind, rows, others = _rows_of(partnership, file, read_mapping(mapping_file))
    findings = reconcile(kind, rows, asyncio.run(entries_of(Settings(), f"partnership/{partnership}")))
    counts = totals(findings)
    if into is not None:
        write_csv(into, FINDING_COLUMNS, map(finding_row, findings))
    document = {
        "partnership_id": partnership,
        "type": kind,
        "rows_of_other_partnerships": others,
        **{name.replace("-", "_"): count for name, count in counts.items()},
        "findings": [finding.document() for finding in findings if finding.kind != "matched"],
    }
    print_result(document, as_json, lambda: _show_findings(partnership, findings, counts), indented=True)
    context.exit(ExitCode.OK if counts["matched"] == len(findings) else ExitCode.ANSWER_IS_NO)


def _rows_of(partnership: str, file: BinaryIO, mapping: MappingDocument) -> tuple[str, list[FileRow], int]:
    """The type of the rows, the partnership's own, and how many name another. Raises `WrongInput`."""
    kind, rows, others = None, [], 0
    for line, bound, cells in mapped_rows(file, mapping):
        document = bound.event(cells)
        kind = type_of(document)
        data = document.get("data", {})
        if data.get("partnership_id", partnership) == partnership:
            rows.append(FileRow(line, data))
        else:
            others += 1
    if kind is None:
        raise WrongInput("the table has no rows below its header")
    return kind, rows, others


def _show_findings(partnership: str, findings: Sequence[Finding], counts: Mapping[str, int]) -> None:
    columns = [
        Column("النتيجة", "Finding"),
        Column("السطر", "Line", right=True),
        Column("القيد", "Entry", right=True),
        Column("المعرّف", "Id", drop=1),
        Column("الملف", "File", right=True),
        Column("السجل", "Log", right=True),
        Column("السبب", "Reason", wraps=True),
    ]
    rows = [
        [
            localized(*FINDING_WORDS[finding.kind], "\n"),
            None if finding.line is None else str(finding.line),
            None if finding.index is None else str(finding.index),
            finding.id,
            *(None if sum_ is None else riyals_text(sum_) for sum_ in (finding.file_halalas, finding.log_halalas)),
            None if finding.reason is None else localized(finding.reason.ar, finding.reason.en, "\n"),
        ]
        for finding in findings
        if finding.kind != "matched"
    ]
    if rows:
        title = localized(f"مطابقة {partnership}، بالريال", f"Reconciliation of {partnership}, in riyals")
        show(Grid(title, columns, rows))
    words = [(FINDING_WORDS[kind], count) for kind, count in counts.items() if count]
    print_localized(
        "، ".join(f"{ar} {count:,}" for (ar, _), count in words) + ".",
        ", ".join(f"{en} {count:,}" for (_, en), count in words) + ".",
    )


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
    pace = "100" if found.pace is None else percent_text(int(found.pace * BASIS_POINTS))
    print_localized(
        f"* فترات لم تُقفل، محسوبة بوتيرة الفترات المقفلة: {pace} % من المتوقع.",
        f"* not closed yet, at the pace of the closed periods: {pace} % of the expected revenue.",
    )
    at_pace, at_most = (riyals_text(found.exposure_halalas(name)) for name in ("pace", "nothing"))
    print_localized(
        f"التكملة حتى نهاية العقد: {at_pace} بهذه الوتيرة، و{at_most} على الأكثر.",
        f"Top-ups to the end of the term: {at_pace} at this pace, {at_most} at most.",
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


def _print(found: StatementProof, as_json: bool) -> None:
    own = f"{found.partnership_id} {found.period}"
    whole_ar = "ولا قيد غيرها للشراكة في السجل" if found.is_complete else "ولم يُتحقق من خلو السجل من غيرها"
    whole_en = (
        "the log has no other entry of the partnership"
        if found.is_complete
        else "whether the log has others was not checked (--against)"
    )
    print_confirmation(
        found.document(),
        as_json,
        f"الكشف {own} سليم: يتبع من {found.entries_count:,} قيد، {whole_ar}.",
        f"Statement {own} is right: it follows from {found.entries_count:,} entries; {whole_en}.",
    )
