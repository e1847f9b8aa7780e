"""What the commands of a campaign team say before and after a report, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

from events.reports.campaign_reports import Action, Campaign
from events.types.awareness import (
    AwarenessCampaignAcknowledged,
    AwarenessCampaignAired,
    AwarenessCampaignAiringCorrected,
    AwarenessCampaignCompleted,
)
from events.values.bilingual import Bilingual, joined
from events.values.working_days import riyadh_minute


def warnings(action: Action, campaign: Campaign) -> Iterator[Bilingual]:
    """What the sender should know before the event is sent. The log decides."""
    if action.effective_index(campaign) is not None:
        yield in_effect(action, campaign)
    if isinstance(action.data, AwarenessCampaignCompleted) and campaign["missing_channels"]:
        sentence = Bilingual("لم تُبث الحملة بعد في: {}.", "The campaign has no airing yet on: {}.")
        yield sentence.format(joined(campaign["missing_channels"]))


def in_effect(action: Action, campaign: Campaign) -> Bilingual:
    """Which entry has what the action reports, and who acknowledged."""
    index = action.effective_index(campaign)
    match action.data:
        case AwarenessCampaignAcknowledged():
            by = campaign["acknowledged_by"]
            at = riyadh_minute(campaign["acknowledged_at"])
            sentence = Bilingual("استلم الحملة مكتب {} في {} بالقيد {}.", "Acknowledged by {} at {}, entry {}.")
            return sentence.format(by, at, index)
        case AwarenessCampaignCompleted():
            return Bilingual("اكتملت الحملة بالقيد {}.", "Completed by entry {}.").format(index)
        case AwarenessCampaignAired(airing_id=airing_id):
            command = f"yesser campaigns correct {action.campaign_id} {index} --reach NUMBER …"
            sentence = Bilingual(
                "البث {} مسجل بالقيد {}. يُصحَّح وصوله بالأمر: {}",
                "The airing {} is entry {}. To correct its reach: {}",
            )
            return sentence.format(airing_id, index, command)
        case AwarenessCampaignAiringCorrected(reach=reach):
            sentence = Bilingual("وصول هذا البث {} بالقيد {}.", "The airing's reach is {} by entry {}.")
            return sentence.format(reach, index)


def next_step(campaign: Campaign) -> Bilingual | None:
    """What the team does next; None once the campaign is completed or while it is paused."""
    campaign_id = campaign["campaign_id"]
    match campaign["next_action"]:
        case "acknowledge":
            command = f"yesser campaigns ack {campaign_id} --by DESK"
        case "air":
            missing = campaign["missing_channels"][0]
            command = f"yesser campaigns air {campaign_id} --channel {missing} …"
        case "complete":
            command = f"yesser campaigns complete {campaign_id}"
        case _:
            return None
    return Bilingual("التالي: {}", "Next: {}").format(command)
