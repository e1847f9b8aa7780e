"""An explanation for people, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET

from consumers.campaigns.show import acknowledgement
from consumers.documents.campaigns.evaluations import Evaluation, ExplainedCampaign, Explanation
from infra.command_line.language import localized

KINDS: Final = {
    "campaign": ("حملة", "campaign"),
    "service": ("خدمة", "service"),
    "quota": ("مقاعد", "quota"),
    "group": ("مجموعة", "group"),
    "initiative": ("مبادرة", "initiative"),
}
_INDENT: Final = "    "


def explanation_parts(found: Explanation) -> Iterator[str]:
    """The campaigns with who has them, what prevents one, and each evaluation with its reason."""
    yield f"{localized(*KINDS[found.about.kind])}  {found.about.id}\n"
    for campaign in found.campaigns:
        yield from _campaign_lines(campaign)
    for text in found.remarks:
        yield localized(text["ar"], text["en"], "\n")
    if found.evaluations:
        yield "\n" + localized("ما قررته القواعد", "What the rules decided")
    for row in found.evaluations:
        yield from _evaluation_lines(row)


def _campaign_lines(campaign: ExplainedCampaign) -> Iterator[str]:
    entry, on = "—" if campaign.triggered_index is None else f"i{campaign.triggered_index}", campaign.due_on
    yield f"{campaign.campaign_id}  {campaign.owner}"
    yield _INDENT + localized(f"القيد {entry}، الموعد {on}", f"entry {entry}, due on {on}", f"\n{_INDENT}")
    said = acknowledgement(campaign)
    yield _INDENT + localized(said.ar, said.en, f"\n{_INDENT}")


def _evaluation_lines(row: Evaluation) -> Iterator[str]:
    verdict = localized("أُطلقت", "fired") if row.fired else localized("لم تُطلق", "did not fire")
    part = f" {row.part}" if row.part else ""
    entries = f"i{row.cause_index}"
    if row.count is not UNSET:
        entries = f"i{row.first_index}…{entries} ×{row.count}"
    yield f"{row.rule}{part}  {entries}  {verdict}"
    yield _INDENT + localized(row.reason.ar, row.reason.en, f"\n{_INDENT}")
