"""`yesser commit`: publishes the current hash of every read model."""

from __future__ import annotations

import click
import uvloop

from consumers.commitments.commitment import Commitment, hash_read_models, log_growth, publish
from events.errors import YesserError
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_result
from infra.postgres.connection import connected
from infra.settings import Settings


class NothingApplied(YesserError):
    """No read model has applied an entry yet: start the platform (`yesser up`)."""


@click.command("commit")
@json_option
def commit(as_json: bool) -> None:
    """Publish the hash of every read model in the log, with the index that it is as of.

    That is the beginning of the current block of 4,096 entries; of a shorter log, its end. The platform does this
    automatically when the log has grown by a tenth, by 10,000 entries at least, once a day while it grows, and after a
    rotation of the log's key, whose history is committed too. `yesser wait` does not wait for that. `yesser audit
    commitments` verifies the hashes.
    """
    commitments = uvloop.run(_commit(Settings()))
    document = {"commitments": [commitment.data() for commitment in commitments]}
    print_result(document, as_json, lambda: show(_view(commitments)), indented=True)


async def _commit(settings: Settings) -> list[Commitment]:
    async with connected(settings.acting_as("operator"), "commit", batch=True) as connection:
        found = await log_growth(connection)
        commitments = await hash_read_models(connection)
        if not commitments:
            raise NothingApplied(NothingApplied.__doc__)
        await publish(connection, commitments, found)
    return commitments


def _view(commitments: list[Commitment]) -> Grid:
    columns = [
        Column("نموذج القراءة", "Read model"),
        Column("بعد كم قيد", "After entries", right=True),
        Column("الصفوف", "Rows", drop=2, right=True),
        Column("البصمة", "SHA-256", drop=1),
    ]
    rows = [[row.name, f"{row.log_index:,}", f"{row.rows:,}", row.sha256] for row in commitments]
    return Grid(localized("بصمات نماذج القراءة", "Hashes of the read models"), columns, rows)
