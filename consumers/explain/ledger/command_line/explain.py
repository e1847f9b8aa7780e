"""`yesser ledger explain`: from a figure of a statement or an account to its formula, transfers, entries and proofs."""

from __future__ import annotations

import click

from consumers.documents.ledger.ledger import AccountKind
from consumers.explain.commands import Asked, explain_options
from consumers.explain.explain import Request
from consumers.explain.renderings import ledger_document
from consumers.revenue.statements.commands import partnerships_completion
from infra.command_line.output import json_option
from infra.command_line.parameters import PeriodLabel


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
    model, key, field = "statements", f"{what}/{period}", figure
    if ":" in what:
        _require_account(what, period)
        model, key, field = "accounts", what, "balance_halalas"
    elif period is None:
        raise click.UsageError("Give the period of a statement, or an account such as partner-payable:PPP-1.")
    asked.answer(Request(model, key, field, asked.steps, derives=True), as_json, ledger_document)


def _require_account(account: str, period: str | None) -> None:
    """Raises `click.UsageError`."""
    kind, kinds = account.partition(":")[0], [known.value for known in AccountKind]
    if kind not in kinds:
        raise click.UsageError(f"{kind} is no kind of account: write one of {', '.join(kinds)}, as {kinds[0]}:PPP-1.")
    if period is not None:
        raise click.UsageError("An account has no periods: leave out PERIOD.")
