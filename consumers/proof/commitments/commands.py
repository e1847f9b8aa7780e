"""`yesser commit`: publishes the current hash of every read model."""

from __future__ import annotations

import click
import uvloop

from consumers.documents.log.commitments import Claim
from consumers.documents.tables import columns
from consumers.proof.commitments.commitment import Commitment, growths, hash_read_models, publish
from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.display import Grid, show
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.postgres.connection import connected
from infra.settings import Settings


class NothingApplied(YesserError):
    """No read model has applied an entry yet: start the platform (`yesser up`)."""


@click.command("commit")
@json_option
def commit(as_json: bool) -> None:
    """Publish the hash of every read model in the log, with the index and the version that it is of.

    That is the beginning of the current block of 4,096 entries, or if it was committed before, or the log is shorter,
    its end. The platform does this automatically: for every log that has grown within a day, earlier when it has
    grown by a tenth, by 10,000 entries at least, and after a rotation of the log's key, whose history is committed too.
    `yesser wait` does not wait for that. `yesser audit commitments` verifies the hashes.
    """
    commitments = uvloop.run(_commit(Settings()))
    document = {"commitments": [commitment.data() for commitment in commitments]}
    print_result(document, as_json, lambda: _show(commitments), indented=True)


async def _commit(settings: Settings) -> list[Commitment]:
    async with connected(settings.acting_as("operator"), "commit", batch=True) as connection:
        if not any(growth.position for growth in (await growths(connection)).values()):
            raise NothingApplied(NothingApplied.__doc__)
        return await publish(connection, await hash_read_models(connection))


def _show(commitments: list[Commitment]) -> None:
    if not commitments:
        sentence = Bilingual(
            "لا جديد: في السجل، أو في الطريق إليه، بصمة كل نموذج قراءة عند آخر قيد.",
            "Nothing new: the log has, or will have, the hash of every read model at its last entry.",
        )
        print_localized(sentence)
        return
    names, _, *others = columns(Claim)
    rows = [[row.name, str(row.log_index), str(row.rows), row.sha256] for row in commitments]
    show(Grid(Bilingual("بصمات نماذج القراءة", "Hashes of the read models"), [names, *others], rows))
