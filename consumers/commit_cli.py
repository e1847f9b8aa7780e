"""`yesser commit`: publishes the hash of every read model, as it stands now."""

from __future__ import annotations

from typing import Final

import click
import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from consumers.commitments import Commitment, hash_read_models, publish, reached
from events.errors import YesserError
from infra.postgres import connect
from infra.settings import Settings

HEADINGS: Final = ("Read model · نموذج القراءة", "At index · عند الموضع", "Rows · الصفوف", "SHA-256")


class NothingApplied(YesserError):
    """No read model has applied an entry yet: start the platform (`yesser up`)."""


@click.command("commit")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def commit(as_json: bool) -> None:
    """Commit to every read model now: its hash at its index goes into the log.

    The platform does so by itself every 10,000 entries. `yesser audit commitments` computes all of them again.
    """
    commitments = uvloop.run(_commit(Settings()))
    if as_json:
        document = {"commitments": [commitment.data() for commitment in commitments]}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        Console().print(_view(commitments))


async def _commit(settings: Settings) -> list[Commitment]:
    connection = await connect(settings, "commit", batch=True)
    try:
        found = await reached(connection)
        commitments = await hash_read_models(connection)
        if not commitments:
            raise NothingApplied(NothingApplied.__doc__)
        await publish(connection, commitments, found.entries_count)
    finally:
        await connection.close()
    return commitments


def _view(commitments: list[Commitment]) -> Table:
    table = Table(title="Committed · بصمات نماذج القراءة", title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in HEADINGS[1:3] else "left", overflow="fold")
    for row in commitments:
        table.add_row(row.name, f"{row.log_index:,}", f"{row.rows:,}", f"{row.sha256[:16]}…")
    return table
