"""`yesser ledger explain`: from a figure of a statement or an account to its formula, transfers, entries and proofs."""

from __future__ import annotations

from collections.abc import Sequence

import click
from msgspec.structs import asdict
from rich.console import RenderableType

from consumers.documents.ledger.figures import DerivedFigure
from consumers.documents.ledger.ledger import EXPLAINED_TRANSFERS, AccountKind
from consumers.documents.log.explanations import Explanation
from consumers.documents.tables import grid
from consumers.explain.ledger.explained_statement import (
    ExplainedStatement,
    Rows,
    figure_document,
    read_statement,
    read_transfers,
    transfer_document,
)
from consumers.explain.options import Asked, explain_options
from consumers.explain.show import answer_view, verdict
from consumers.revenue.rows import Transfer
from consumers.revenue.statements.commands import partnerships_completion, sheet_table
from consumers.revenue.statements.formulas import amount_text, label
from consumers.revenue.statements.paper import share_sheet
from events.values.bilingual import Bilingual
from infra.command_line.display import Column, Grid, Row, show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.output import json_option, print_result
from infra.command_line.parameters import PeriodLabel
from infra.json_documents import members


@click.command("explain")
@click.argument("what", metavar="PARTNERSHIP|ACCOUNT", shell_complete=partnerships_completion)
@click.argument("period", type=PeriodLabel(), required=False)
@click.argument("figure", metavar="[FIELD]", required=False)
@explain_options
@json_option
def explain_command(what: str, period: str | None, figure: str | None, asked: Asked, as_json: bool) -> None:
    """Explain a FIELD of the statement of a closed PERIOD of a PARTNERSHIP: its formula in words and with its numbers,
    and the transfers and log entries that made it. Without FIELD all formulas are shown.

    An ACCOUNT, such as partner-payable:PPP-1, is explained by its transfers. Without --from the database is read, and
    the figure of the live table is compared with what the entries add up to.

    Exit code 1: there is no such statement or account, or the table differs from the log. Exit code 76: the log is not
    what was signed.
    """
    if ":" in what:
        _explain_account(what, period, asked, as_json)
        return
    if period is None:
        raise click.UsageError("Give the period of a statement, or an account such as partner-payable:PPP-1.")
    rows = Rows()
    answer, proofs = asked.explained(
        "statements", f"{what}/{period}", figure, lambda tracer: read_statement(tracer, what, period, rows)
    )
    assert rows.statement is not None, "a statement that exists is read"
    found = rows.statement
    if figure is None:
        written = list(found.figures.values())
        all_fields = {"partnership_id": what, "period": period, "terms": found.terms, "fields": written}
        all_fields |= {name: getattr(answer, name) for name in ("log_index", "is_complete", "figures", "ok")} | proofs
        print_result(all_fields, as_json, lambda: show(_formulas_table(found), verdict(answer)), indented=True)
    else:
        document = members(figure_document(found, figure, rows.transfers, answer)) | proofs
        print_result(document, as_json, lambda: show(*_statement_view(found, figure, rows, answer)), indented=True)
    if not answer.ok:
        raise SystemExit(ExitCode.ANSWER_IS_NO)


def _explain_account(account: str, period: str | None, asked: Asked, as_json: bool) -> None:
    kind = account.partition(":")[0]
    kinds = [known.value for known in AccountKind]
    if kind not in kinds:
        raise click.UsageError(f"{kind} is no kind of account: write one of {', '.join(kinds)}, as {kinds[0]}:PPP-1.")
    if period is not None:
        raise click.UsageError("An account has no periods: leave out PERIOD.")
    rows = Rows()

    def is_own(row: Transfer) -> bool:
        return account in (row.debit, row.credit)

    answer, proofs = asked.explained(
        "accounts", account, "balance_halalas", lambda tracer: read_transfers(tracer, rows, is_own)
    )
    document = asdict(answer) | proofs | {"transfers": [transfer_document(row) for row in rows.transfers]}
    print_result(
        document,
        as_json,
        lambda: show(*answer_view(answer), _transfers_table(rows.transfers)),
        indented=True,
    )
    if not answer.ok:
        raise SystemExit(ExitCode.ANSWER_IS_NO)


def _statement_view(found: ExplainedStatement, figure: str, rows: Rows, answer: Explanation) -> list[RenderableType]:
    parts: list[RenderableType] = [_formula_table(found, found.figures[figure])]
    if figure == "partner_base_halalas":
        parts += [sheet_table(share_sheet(share)) for share in found.shares]
    parts += answer_view(answer)
    if rows.transfers:
        parts.append(_transfers_table(rows.transfers))
    return parts


def _formula_table(found: ExplainedStatement, figure: DerivedFigure) -> Grid:
    """The formula in words, its amounts, and the result."""
    formula, name = figure.formula, label(figure.field)
    columns = [Column("البند", "Line", wraps=True), Column("القيمة", "Value", right=True)]
    detail = Bilingual(
        "{name} للشراكة {partnership_id}، الفترة {period} = {formula}",
        "{name} of partnership {partnership_id}, period {period} = {formula}",
    ).format(name=name, partnership_id=found.partnership_id, period=found.period, formula=formula)
    rows: list[Row] = [[label(amount), amount_text(amount, value)] for amount, value in figure.amounts.items()]
    version, start, index = found.terms.version, found.terms.effective_from, found.terms.index
    sentence = Bilingual("نسخة العقد السارية {} من الفترة {}، القيد", "Version {} in force, from period {}, log entry")
    rows.append([sentence.format(version, start), str(index)])
    return Grid(detail, columns, rows, [formula.numbers, f"= {amount_text(figure.field, figure.value)}"])


def _formulas_table(found: ExplainedStatement) -> Grid:
    """All fields, each with its formula and numbers."""
    columns = [
        Column("البند", "Field"),
        Column("المعادلة", "Formula", wraps=True, drop=1),
        Column("بالأرقام", "With numbers", wraps=True),
        Column("القيمة", "Value", right=True),
    ]
    rows: list[Row] = [
        [name, row.formula, row.formula.numbers, amount_text(name, row.value)] for name, row in found.figures.items()
    ]
    own = f"{found.partnership_id} {found.period}"
    return Grid(Bilingual("معادلات الكشف {}", "The formulas of statement {}").format(own), columns, rows)


def _transfers_table(transfers: Sequence[Transfer]) -> Grid:
    return grid(EXPLAINED_TRANSFERS, map(transfer_document, transfers))
