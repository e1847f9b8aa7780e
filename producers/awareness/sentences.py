"""What the commands of a campaign team say before and after a report, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

from events.faults.problems import Bilingual
from events.reports.campaign_reports import Action, Campaign
from events.types.awareness import AwarenessCampaignAcknowledged, AwarenessCampaignAired, AwarenessCampaignCompleted
from events.values.working_days import riyadh_minute


def warnings(action: Action, campaign: Campaign) -> Iterator[Bilingual]:
    """What the sender should know before the event is sent. The log decides."""
    if action.effective_index(campaign) is not None:
        yield in_effect(action, campaign)
    if isinstance(action.data, AwarenessCampaignCompleted) and campaign["missing_channels"]:
        missing = ", ".join(campaign["missing_channels"])
        yield Bilingual(f"لم تُبث الحملة بعد في: {missing}.", f"The campaign has no airing yet on: {missing}.")


def in_effect(action: Action, campaign: Campaign) -> Bilingual:
    """Which entry has what the action reports, and who acknowledged."""
    index = action.effective_index(campaign)
    match action.data:
        case AwarenessCampaignAcknowledged():
            by = campaign["acknowledged_by"]
            at = riyadh_minute(campaign["acknowledged_at"])
            return Bilingual(
                f"استلم الحملة مكتب {by} في {at} بالقيد {index}.", f"Acknowledged by {by} at {at}, entry {index}."
            )
        case AwarenessCampaignCompleted():
            return Bilingual(f"اكتملت الحملة بالقيد {index}.", f"Completed by entry {index}.")
        case AwarenessCampaignAired(airing_id=airing_id):
            return Bilingual(f"البث {airing_id} مسجل بالقيد {index}.", f"The airing {airing_id} is entry {index}.")


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
    return Bilingual(f"التالي: {command}", f"Next: {command}")
