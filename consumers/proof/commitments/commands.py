"""`yesser commit`: publishes the current hash of every read model.

`yesser audit commitments`: prints the verification of the commitments, as JSON or as text.
"""

from __future__ import annotations

from collections.abc import Sequence

import click
import uvloop

from consumers.documents.document import Listing
from consumers.documents.log.commitments import NO_COMMITMENT, Claim, Status
from consumers.documents.tables import columns, grid
from consumers.proof.commitments.check import CheckedClaim, check
from consumers.proof.commitments.claims import newest
from consumers.proof.commitments.commitment import Commitment, growths, hash_read_models, publish
from consumers.proof.commitments.trail import said_in_log
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


def commitments_checked(settings: Settings, last: int | None, *, as_json: bool) -> bool:
    """Verify all commitments, or the `last` of each read model, and print the result; returns whether none is wrong."""
    verdicts = uvloop.run(_check(settings, last))
    ok = all(verdict.ok for verdict in verdicts)
    document = {"commitments": verdicts, "ok": ok}
    print_result(document, as_json, lambda: _show_checked(verdicts), indented=True)
    return ok


async def _check(settings: Settings, last: int | None) -> list[CheckedClaim]:
    async with connected(settings.acting_as("auditor"), "commitments", batch=True) as connection:
        claims, acknowledgements = await said_in_log(connection)
    return await check(settings, claims if last is None else newest(claims, last), acknowledgements=acknowledgements)


def _show_checked(verdicts: Sequence[CheckedClaim]) -> None:
    """Print how many match, how many are of an earlier version, and the others one by one."""
    by_status = {status: [verdict for verdict in verdicts if verdict.status is status] for status in Status}
    if not verdicts:
        print_localized(NO_COMMITMENT)
        return
    right, total = len(by_status[Status.MATCHES]), len(verdicts)
    detail = Bilingual("{} من {} من البصمات تطابق السجل.", "{} of {} commitments match the log.").format(right, total)
    print_localized(detail)
    if earlier := by_status[Status.EARLIER_VERSION]:
        versions = ", ".join(sorted({verdict.fold_version or "-" for verdict in earlier}))
        sentence = Bilingual(
            "{} من إصدار سابق ولا تُقارن بهذا الإصدار: {}",
            "{} are of an earlier version and cannot be compared with this one: {}",
        ).format(len(earlier), versions)
        print_localized(sentence)
    for verdict in by_status[Status.ACKNOWLEDGED]:
        _show_acknowledged(verdict)
    if wrong := by_status[Status.WRONG]:
        show(grid(Listing("لا تطابق السجل", "Do not match the log", CheckedClaim), wrong))


def _show_acknowledged(verdict: CheckedClaim) -> None:
    known = verdict.acknowledgement
    if known is None:
        return
    index, by = verdict.index, known.by or "?"
    sentence = Bilingual(
        "البصمة في القيد {index} ({name}) لا تطابق السجل؛ أخذ {by} العلم بها في القيد {acknowledged}، والسبب: {reason}",
        "The commitment at entry {index} ({name}) does not match the log; acknowledged at entry"
        " {acknowledged} by {by}, reason: {reason}",
    ).format(index=index, name=verdict.name, by=by, acknowledged=known.index, reason=Bilingual(**known.reason))
    print_localized(sentence)
