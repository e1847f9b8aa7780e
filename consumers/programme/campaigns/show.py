"""Campaigns for people: a team's inbox, and one campaign with its brief, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from consumers.documents.campaigns import campaigns
from consumers.documents.campaigns.evaluations import ExplainedCampaign
from consumers.documents.document import label_of
from consumers.documents.names import with_code
from consumers.documents.tables import grid, names
from consumers.programme.campaigns.dates import in_words
from consumers.programme.campaigns.next_step import next_command, time_left
from events.values.bilingual import Bilingual, in_lines, joined
from events.values.working_days import riyadh_minute
from infra.command_line.display import NOTHING
from infra.command_line.language import localized

NOT_JUDGED: Final = Bilingual(
    "تُحسب الحملات من موعدها، فلا يُقيَّم هنا ما كان جاريًا من حملات موعدها بعد هذا التاريخ ولا ما بُث فيها. "
    "لعرضها كما كانت في وقت سابق استخدم --as-of-recorded.",
    "Campaigns count from their due date on: those that are due after this date, and what was aired in them, are not "
    "judged here. To see them as they were at a time, use --as-of-recorded.",
)
"""What a view of the events that occurred by a date cannot say of campaigns."""
_INDENT: Final = "    "


def not_judged() -> Text:
    """`NOT_JUDGED` below a table."""
    return Text(localized(NOT_JUDGED, "\n"), style="bold yellow")


def inbox_parts(rows: Sequence[campaigns.InboxItem], today: str) -> Iterator[RenderableType]:
    """A team's open campaigns by what is due first, each with its brief and the command to type next."""
    if not rows:
        yield localized(Bilingual("لا حملات مفتوحة.", "No open campaigns."), "\n")
    for section, own in campaigns.sections(rows):
        yield f"{localized(section)} ({len(own)})\n"
        for row in own:
            yield from _inbox_lines(row, today)
            yield ""


def _inbox_lines(row: campaigns.InboxItem, today: str) -> Iterator[str]:
    name = "" if row.service is None else f"  {localized(row.service.name)}"
    yield f"{row.campaign_id}{name}"
    brief = Bilingual(_short(row.brief.ar), _short(row.brief.en))
    yield from (f"{_INDENT}{line}" for line in _blocks([due(row, today), brief, *_progress(row)]))
    if (command := next_command(row)) is not None:
        yield f"{_INDENT}$ {command}"


def brief_parts(shown: campaigns.CampaignAndHistory, today: str) -> Iterator[RenderableType]:
    """One campaign as a page to print: what to say, about which service, by when, and what was done."""
    yield grid(campaigns.CAMPAIGNS, [shown])
    yield ""
    yield from _blocks([shown.brief, *_facts(shown), due(shown, today), *_progress(shown), shown.reason], between="")
    yield ""
    if shown.airings:
        yield grid(campaigns.AIRINGS, shown.airings)
        yield ""
    if shown.history:  # None, as the airings, where it is another agency's
        yield grid(campaigns.STEPS, shown.history)
        if shown.more_history:
            more = f"yesser log find --subject campaign/{shown.campaign_id}"
            sentence = Bilingual("في السجل قيود أخرى عنها: {}", "The log has more entries about it: {}").format(more)
            yield localized(sentence, "\n")
        yield ""
    if (command := next_command(shown)) is not None:
        yield f"{_INDENT}$ {command}"


def _facts(shown: campaigns.CampaignAndHistory) -> Iterator[Bilingual]:
    service = shown.service
    if service is not None:
        address, channels = service.url or NOTHING, joined(service.channels or [NOTHING])
        launched = Bilingual(NOTHING, NOTHING) if service.launched_on is None else in_words(service.launched_on)
        yield Bilingual("الخدمة: {}", "Service: {}").format(service.name)
        yield Bilingual("العنوان: {}", "Address: {}").format(address)
        yield Bilingual("الإطلاق: {}", "Launched: {}").format(launched)
        yield Bilingual("قنوات الخدمة: {}", "Service channels: {}").format(channels)
    yield Bilingual("الجهة المسؤولة: {}", "Owner: {}").format(with_code(names(), "agency", shown.owner))
    yield _channels("channels", shown.channels)
    if shown.urgency is campaigns.Urgency.HIGH:
        yield Bilingual(shown.urgency.ar, shown.urgency.en)


def _progress(campaign: campaigns.ToDo) -> Iterator[Bilingual]:
    """Who acknowledged, and the channels without an airing."""
    yield acknowledgement(campaign)
    if campaign.missing_channels:
        yield _channels("missing_channels", campaign.missing_channels)


def due(campaign: campaigns.ToDo, today: str) -> Bilingual:
    """The due date in both calendars and, while the campaign runs, how much time is left."""
    notes: list[Bilingual] = []
    if campaign.paused:
        notes = [label_of(campaigns.InboxItem, "paused")]
    elif campaign.state is not campaigns.CampaignState.COMPLETED:
        notes = [
            time_left(campaign.due_on, today),
            *([label_of(campaigns.InboxItem, "escalated")] if campaign.escalated else []),
        ]
    on = Bilingual("الموعد: {}", "Due: {}").format(in_words(campaign.due_on))
    return joined([on, *notes], " · ", " · ")


def acknowledgement(campaign: campaigns.ToDo | ExplainedCampaign) -> Bilingual:
    """Who acknowledged, for which agency, when, and by which entry."""
    by, index = campaign.acknowledged_by, campaign.acknowledged_index
    agency = with_code(names(), "agency", campaign.owner)
    if campaign.acknowledged_at is None:
        return Bilingual("لم تُستلم بعد.", "Not acknowledged yet.")
    at = riyadh_minute(campaign.acknowledged_at)
    return Bilingual(
        "استلمها {by} من {agency} في {at} بالقيد {index}.", "Acknowledged by {by} of {agency} at {at}, entry {index}."
    ).format(by=by, agency=agency, at=at, index=index)


def _channels(name: str, channels: Sequence[campaigns.Channel]) -> Bilingual:
    return Bilingual("{}: {}", "{}: {}").format(label_of(campaigns.InboxItem, name), joined(channels))


def _blocks(texts: Sequence[Bilingual], between: str | None = None) -> Iterator[str]:
    """The lines in the chosen language; for both, all Arabic ones first, and `between` before the English ones."""
    separator = "\n" if between is None else f"\n{between}\n"
    yield from localized(in_lines(texts), separator).split("\n")


def _short(text: str, characters_max: int = 160) -> str:
    """The text on one line, cut between words."""
    line = " ".join(text.split())
    if len(line) <= characters_max:
        return line
    return line[:characters_max].rsplit(" ", 1)[0] + " …"
