"""What a team does next about a campaign, and how much time is left. Pure: the day comes in by argument."""

from __future__ import annotations

from datetime import date
from typing import Final

from consumers.documents.campaigns.campaigns import NextAction, ToDo
from events.faults.problems import Bilingual
from events.values.calendar import day_after
from events.values.working_days import count_working_days

DUE_TODAY: Final = Bilingual("الموعد اليوم", "due today")
NO_WORKING_DAY: Final = Bilingual("لم يبق يوم عمل", "no working day left")


def time_left(due_on: str, today: str) -> Bilingual:
    """The working days until the due date or, after it, the days since."""
    if due_on == today:
        return DUE_TODAY
    if today < due_on:
        days = working_days_left(due_on, today)
        if days == 0:
            return NO_WORKING_DAY
        return Bilingual(f"بقي {_arabic_days(days, ' عمل')}", f"{_english_days(days, 'working ')} left")
    late = (date.fromisoformat(today) - date.fromisoformat(due_on)).days
    return Bilingual(f"تأخرت {_arabic_days(late)}", f"{_english_days(late)} late")


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


def _english_days(days: int, kind: str = "") -> str:
    return f"{days} {kind}day{'' if days == 1 else 's'}"


def _arabic_days(days: int, kind: str = "") -> str:
    """The number with its noun: Arabic has forms for one, two, three to ten, eleven on, and for whole hundreds.

    Without a kind of days it says how long: one and two are then in the accusative.
    """
    if days == 1:
        return f"يوم{kind} واحد" if kind else "يومًا واحدًا"
    if days == 2:
        return f"يوما{kind}" if kind else "يومين"
    if 3 <= days % 100 <= 10:
        return f"{days} أيام{kind}"
    return f"{days} يوم{kind}" if kind or days % 100 < 3 else f"{days} يومًا"
