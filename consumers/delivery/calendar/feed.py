"""A team's campaigns as iCalendar (RFC 5545): an all-day event on each due date, in both languages. Pure.

The `UID` is the campaign's id and `SEQUENCE` the newest entry about it or its service, so that a calendar moves,
completes and cancels its own event. A calendar knows no *completed* event: the title says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

from consumers.delivery.due_campaigns import DueCampaign, Team
from consumers.delivery.plain_text import line, line_of, lines_of
from consumers.documents.campaigns.campaigns import CampaignState, InboxItem, channel_list
from consumers.documents.document import label_of
from consumers.programme.campaigns.dates import day_of_month, in_words
from events.values.bilingual import Bilingual, in_lines
from events.values.reading_order import text_of

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
REFRESH: Final = timedelta(hours=1)
PAST_DAYS: Final = 90
"""Completed campaigns stay for so long after their due date."""
SUMMARY_NAME_MAX: Final = 80

_PRODUCT: Final = "-//yesser-events//campaigns//AR"


def calendar_of(
    team: Team, campaigns: Sequence[DueCampaign], origin: str, now: datetime, console: str | None = None
) -> bytes:
    """The whole feed. `origin` is the log's, and makes the ids unique in the world; `now` is the time of this copy."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    title = Bilingual("مواعيد حملات {team}", "Campaign due dates of {team}").format(team=line_of(team.name))
    name = " | ".join(title.of(language) for language in team.languages)
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", REFRESH, parameters={"VALUE": "DURATION"})
    for campaign in campaigns:
        calendar.add_component(_event(campaign, team, origin, now, console))
    content: bytes = calendar.to_ical()
    return content


def _event(campaign: DueCampaign, team: Team, origin: str, now: datetime, console: str | None) -> Event:
    due, shown_in = date.fromisoformat(campaign.due_on), team.languages
    event = Event()
    event.add("uid", f"{campaign.campaign_id}@{origin.partition('/')[0]}")
    event.add("dtstamp", now)
    event.add("dtstart", due)
    event.add("dtend", due + timedelta(days=1))
    event.add("sequence", campaign.last_index)
    summary, description = _summary(campaign), _description(campaign)
    event.add("summary", " | ".join(summary.of(language) for language in shown_in))
    event.add("description", "\n\n".join(text_of(description, language) for language in shown_in))
    event.add("status", _status(campaign))
    event.add("transp", "TRANSPARENT")  # it makes nobody busy
    if console is not None:
        event.add("url", f"{console.rstrip('/')}/campaigns/{campaign.campaign_id}")
    return event


def _status(campaign: DueCampaign) -> str:
    """A retired service is never resumed: its paused campaign is cancelled for the calendar."""
    if campaign.is_paused:
        return "CANCELLED" if campaign.is_retired else "TENTATIVE"
    return "CONFIRMED"


def _summary(campaign: DueCampaign) -> Bilingual:
    title = Bilingual("تُبث حتى {day}: {name}", "Air by {day}: {name}")
    if campaign.is_completed:
        title = Bilingual("✓ اكتملت: {name}", "✓ Completed: {name}")
    elif campaign.is_retired and campaign.is_paused:
        title = Bilingual("أُلغيت: {name}", "Cancelled: {name}")
    elif campaign.is_paused:
        title = Bilingual("موقوفة: {name}", "Paused: {name}")
    name = campaign.service_name
    shown = line_of(name, SUMMARY_NAME_MAX) if name else campaign.campaign_id
    return title.format(name=shown, day=day_of_month(campaign.due_on))


def _description(campaign: DueCampaign) -> Bilingual:
    sentences = [lines_of(campaign.brief), in_words(campaign.due_on)]
    if not campaign.is_completed:
        by = campaign.acknowledged_by
        if by is None:
            sentences.append(Bilingual("{}.", "{}.").format(CampaignState.TRIGGERED))
        else:
            sentences.append(Bilingual("استلمها {by}.", "Acknowledged by {by}.").format(by=line(by)))
        if campaign.missing:
            label, channels = label_of(InboxItem, "missing_channels"), channel_list(campaign.missing)
            sentences.append(Bilingual("{}: {}.", "{}: {}.").format(label, channels))
    return in_lines([*sentences, Bilingual(campaign.campaign_id, campaign.campaign_id)])
