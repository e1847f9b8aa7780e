"""What a team does next about a campaign, how much time is left, and why it is late. Pure: the day is an argument."""

from __future__ import annotations

from datetime import date
from typing import Final

from consumers.documents.campaigns.campaigns import CampaignAndHistory, NextAction, ToDo
from events.values.bilingual import Bilingual, counted
from events.values.calendar import day_after
from events.values.working_days import count_working_days

DUE_TODAY: Final = Bilingual("الموعد اليوم", "due today")
NO_WORKING_DAY: Final = Bilingual("لم يبق يوم عمل", "no working day left")
_MISSING: Final = {
    NextAction.ACKNOWLEDGE: Bilingual("ولم تُستلم", "it is not acknowledged"),
    NextAction.AIR: Bilingual("ولم تُبث في كل قنواتها", "a channel has no airing"),
}
"""What makes a campaign late once its date is past, as in the inbox: its completion alone does not, and a paused one
has no next step."""


def time_left(due_on: str, today: str) -> Bilingual:
    """The working days until the due date or, after it, the days since: what is aired and not completed is not late."""
    if due_on == today:
        return DUE_TODAY
    if today < due_on:
        days = working_days_left(due_on, today)
        if days == 0:
            return NO_WORKING_DAY
        return Bilingual("بقي {}", "{} left").format(working_days(days))
    past = (date.fromisoformat(today) - date.fromisoformat(due_on)).days
    return Bilingual("حل موعدها قبل {}", "due {} ago").format(_days(past))


def working_days_left(due_on: str, today: str) -> int:
    """The working days after today, the due date included."""
    return count_working_days(day_after(today), day_after(due_on))


def next_command(campaign: ToDo) -> str | None:
    """The command that the team types next; None for a campaign that is completed or paused."""
    match campaign.next_action:
        case NextAction.ACKNOWLEDGE:
            return acknowledge_command(campaign.campaign_id)
        case NextAction.AIR:
            return air_command(campaign.campaign_id, campaign.missing_channels[0].value)
        case NextAction.COMPLETE:
            return f"yesser campaigns complete {campaign.campaign_id}"
    return None


def acknowledge_command(campaign_id: str) -> str:
    return f"yesser campaigns ack {campaign_id} --by DESK"


def air_command(campaign_id: str, channel: str) -> str:
    return f"yesser campaigns air {campaign_id} --channel {channel} --outlet-ar NAME --outlet-en NAME --reach NUMBER"


def working_days(days: int, *, after_preposition: bool = False) -> Bilingual:
    """A number of working days; Arabic says two of them otherwise after a preposition."""
    two = "يومي عمل" if after_preposition else "يوما عمل"
    arabic = counted(days, "يوم عمل واحد", two, "أيام عمل", "يوم عمل")
    return Bilingual(arabic, f"{days} working day{'' if days == 1 else 's'}")


def _days(days: int) -> Bilingual:
    """How long ago, as Arabic says it after a preposition."""
    arabic = counted(days, "يوم واحد", "يومين", "أيام", "يومًا" if days % 100 > 2 else "يوم")
    return Bilingual(arabic, f"{days} day{'' if days == 1 else 's'}")


def lateness(campaign: CampaignAndHistory, today: str) -> Bilingual | None:
    """Why the campaign is late on the civil date `today`; None where it is not."""
    missing = _MISSING.get(campaign.next_action) if campaign.next_action else None
    if missing is None or campaign.due_on >= today:
        return None
    why = Bilingual("متأخرة لأن موعدها {} قبل اليوم {}، {}.", "It is late: it was due on {}, today is {}, and {}.")
    return why.format(campaign.due_on, today, missing)
