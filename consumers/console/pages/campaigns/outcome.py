"""What became of a report, from its verdict and from the campaign as it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from consumers.documents.campaigns.campaigns import CampaignAndHistory
from events.faults.problems import Bilingual
from producers.sdk.answers import Verdict

Kind = Literal["good", "bad", ""]
_CONFLICT: Final = "conflict"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A notice: its kind, its title, and a sentence. `first`: who acknowledged, where somebody else was first."""

    kind: Kind
    title: Bilingual
    text: Bilingual | None = None
    first: str | None = None
    index: int | None = None
    faults: tuple[str, ...] = ()


def effective_index(event_id: str, campaign: CampaignAndHistory) -> int | None:
    """The entry by which the campaign has what the report says; None where it has not."""
    what, _, _ = event_id.partition(".")
    if what == "ack":
        return campaign.acknowledged_index
    if what == "complete":
        return campaign.completed_index
    prefix = f"air.{campaign.campaign_id}."
    return next((row.index for row in campaign.airings or () if f"{prefix}{row.airing_id}" == event_id), None)


def outcome(
    event_id: str, verdict: Verdict | None, campaign: CampaignAndHistory, log_index: int, *, was_sent: bool
) -> Outcome | None:
    """What to say about a report. None for one that is not about this campaign.

    `log_index` is the number of entries that the campaign shows.
    """
    if not event_id.partition(".")[2].startswith(campaign.campaign_id):
        return None
    effective = effective_index(event_id, campaign)
    state, index = (None, None) if verdict is None else (verdict.state, verdict.index)
    if not was_sent:
        return _in_effect(event_id, campaign, effective)
    if state in ("registered", "duplicate") and index is not None:
        if index == effective:
            return _recorded(index, is_repeat=state == "duplicate")
        if index >= log_index:
            return _on_its_way()
        return _changed_nothing(event_id, campaign, effective, index)
    if verdict is not None and state == "refused":
        if effective is not None and {error.code for error in verdict.errors} == {_CONFLICT}:
            return _in_effect(event_id, campaign, effective)
        title = Bilingual("رُفض التقرير، ولم يتغير شيء", "The report was refused. Nothing changed")
        return Outcome("bad", title, index=index, faults=tuple(error.detail for error in verdict.errors))
    if effective is not None:
        return _recorded(effective, is_repeat=False)
    return _lost() if state == "lost" else _on_its_way()


def _recorded(index: int, *, is_repeat: bool) -> Outcome:
    if is_repeat:
        title = Bilingual("سبق تسجيله، ولم يتكرر شيء", "It was reported before. Nothing was counted twice")
        return Outcome("good", title, index=index)
    return Outcome("good", Bilingual("سُجّل", "Recorded"), index=index)


def _lost() -> Outcome:
    text = Bilingual("لم يصل إلى السجل: أرسله من جديد.", "It did not reach the log: send it again.")
    return Outcome("bad", Bilingual("فُقد التقرير، ولم يتغير شيء", "The report was lost. Nothing changed"), text)


def _on_its_way() -> Outcome:
    text = Bilingual("تظهر النتيجة في هذه الصفحة بعد لحظات.", "This page shows the result in a moment.")
    return Outcome("", Bilingual("التقرير في طريقه إلى السجل", "The report is on its way to the log"), text)


def _in_effect(event_id: str, campaign: CampaignAndHistory, effective: int | None) -> Outcome | None:
    """The campaign has it already, from somebody else or from before."""
    if effective is None:
        return None
    if event_id.startswith("ack."):
        title = Bilingual("استُلمت الحملة من قبل، ولم يتغير شيء", "Acknowledged already. Nothing changed")
        return Outcome("", title, first=campaign.acknowledged_by, index=effective)
    if event_id.startswith("complete."):
        return Outcome(
            "", Bilingual("اكتملت من قبل، ولم يتغير شيء", "Completed already. Nothing changed"), index=effective
        )
    title = Bilingual("سُجّل هذا البث من قبل، ولم يتغير شيء", "This airing is recorded already. Nothing changed")
    return Outcome("", title, index=effective)


def _changed_nothing(event_id: str, campaign: CampaignAndHistory, effective: int | None, index: int) -> Outcome:
    found = _in_effect(event_id, campaign, effective)
    if found is not None:
        return found
    text = Bilingual("السبب مذكور أدناه في «ما جرى».", "The history below says why.")
    return Outcome("", Bilingual("لم يغيّر القيد شيئًا", "The entry changed nothing"), text, index=index)
