"""`yesser audit commitments`: prints the verification of the commitments, as JSON or as text."""

from __future__ import annotations

from collections.abc import Sequence

import uvloop

from consumers.documents.document import Listing
from consumers.documents.log.commitments import NO_COMMITMENT, Status
from consumers.documents.tables import grid
from consumers.proof.commitments.check import CheckedClaim, check, said_in_log
from consumers.proof.commitments.claims import newest
from events.values.bilingual import Bilingual
from infra.command_line.display import show
from infra.command_line.language import print_localized
from infra.command_line.output import print_result
from infra.postgres.connection import connected
from infra.settings import Settings


def commitments_checked(settings: Settings, last: int | None, *, as_json: bool) -> bool:
    """Verify all commitments, or the `last` of each read model, and print the result; returns whether none is wrong."""
    verdicts = uvloop.run(_check(settings, last))
    ok = all(verdict.ok for verdict in verdicts)
    document = {"commitments": verdicts, "ok": ok}
    print_result(document, as_json, lambda: _show(verdicts), indented=True)
    return ok


async def _check(settings: Settings, last: int | None) -> list[CheckedClaim]:
    async with connected(settings.acting_as("auditor"), "commitments", batch=True) as connection:
        claims, acknowledgements = await said_in_log(connection)
    return await check(settings, claims if last is None else newest(claims, last), acknowledgements=acknowledgements)


def _show(verdicts: Sequence[CheckedClaim]) -> None:
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
