"""`yesser audit commitments`: what the check of the commitments found, for machines and for people."""

from __future__ import annotations

from collections.abc import Sequence

import click
import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from consumers.commitment_check import Verdict, check, claims_in_log, newest
from infra.postgres import connect
from infra.settings import Settings


def commitments_checked(settings: Settings, last: int | None, *, as_json: bool) -> bool:
    """Check all commitments, or the `last` of each read model, print what was found, and say whether all are true."""
    verdicts = uvloop.run(_check(settings, last))
    ok = all(verdict.ok for verdict in verdicts)
    if as_json:
        document = {"commitments": [verdict.document() for verdict in verdicts], "ok": ok}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        _show(Console(), verdicts)
    return ok


async def _check(settings: Settings, last: int | None) -> list[Verdict]:
    connection = await connect(settings, "commitments", batch=True)
    try:
        claims = await claims_in_log(connection)
    finally:
        await connection.close()
    return await check(settings, claims if last is None else newest(claims, last))


def _show(console: Console, verdicts: Sequence[Verdict]) -> None:
    """How many hold; those that do not, each in a row."""
    wrong = [verdict for verdict in verdicts if not verdict.ok]
    console.print(f"{len(verdicts) - len(wrong)} of {len(verdicts)} commitments are what the log gives.")
    console.print(f"{len(verdicts) - len(wrong)} من {len(verdicts)} من البصمات تطابق ما يعطيه السجل.")
    if not wrong:
        return
    table = Table(title="Not what the log gives · لا تطابق السجل", title_justify="left")
    for heading in ("Entry", "Read model", "At index", "Committed", "The log gives"):
        table.add_column(heading)
    for verdict in wrong:
        claim, found = verdict.claim, verdict.found
        given = "no such state" if found is None else f"{found.rows:,} rows, {found.sha256[:16]}…"
        committed = f"{claim.rows:,} rows, {claim.sha256[:16]}…"
        table.add_row(f"{claim.index:,}", claim.name, f"{claim.log_index:,}", committed, given)
    console.print(table)
