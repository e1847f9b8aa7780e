"""Campaigns for people: a list, a team's inbox, and one campaign with its brief, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from consumers.as_of.point_in_time import RIYADH
from consumers.campaigns.dates import in_words
from consumers.campaigns.next_step import next_command, time_left
from consumers.campaigns.read import CHANNELS
from events.faults.problems import Bilingual
from infra.command_line.display import NOTHING, Column, Grid
from infra.command_line.language import localized

STATES: Final = {
    "triggered": ("أُطلقت", "triggered"),
    "acknowledged": ("استُلمت", "acknowledged"),
    "completed": ("اكتملت", "completed"),
}
PAUSED: Final = ("موقوفة", "paused")
ESCALATED: Final = ("مُصعّدة", "escalated")
STEPS: Final = {
    "campaign.triggered": ("أُطلقت", "triggered"),
    "campaign.paused": ("أُوقفت", "paused"),
    "campaign.resumed": ("استُؤنفت", "resumed"),
    "campaign.escalated": ("صُعّدت", "escalated"),
    "awareness.campaign-acknowledged": ("استُلمت", "acknowledged"),
    "awareness.campaign-aired": ("بُثت", "aired"),
    "awareness.campaign-completed": ("اكتملت", "completed"),
}
NOT_JUDGED: Final = (
    "تُحسب الحملات من موعدها، فلا يُقيَّم هنا ما كان جاريًا من حملات موعدها بعد هذا التاريخ ولا ما بُث فيها. "
    "لعرضها كما كانت في وقت سابق استخدم ‎--as-of-recorded‎.",
    "Campaigns count from their due date on: those that are due after this date, and what was aired in them, are not "
    "judged here. To see them as they were at a time, use --as-of-recorded.",
)
"""What a view of the events that occurred by a date cannot say of campaigns."""
CHANNEL_NAMES: Final = {"tv": "التلفزيون", "radio": "الإذاعة", "print": "الصحافة"}
_INDENT: Final = "    "

Row = Mapping[str, Any]


def table(rows: Sequence[Row]) -> Grid:
    """The campaigns as a table."""
    columns = [
        Column("الحملة", "Campaign"),
        Column("الموعد", "Due"),
        Column("الحالة", "State"),
        Column("البث", "TV·radio·print", drop=1, right=True),
        Column("الوصول", "Reach", drop=2, right=True),
    ]
    shown = [
        [
            "\n".join([row["campaign_id"], " · ".join(filter(None, (row["owner"], row["service_id"])))]),
            row["due_on"],
            state_words(row),
            " · ".join(str(row["aired"][channel]) for channel in CHANNELS),
            f"{row['reach']:,}",
        ]
        for row in rows
    ]
    return Grid(localized("حملات التوعية", "Awareness campaigns"), columns, shown)


def not_judged() -> Text:
    """`NOT_JUDGED` below a table."""
    return Text(localized(*NOT_JUDGED, "\n"), style="bold yellow")


def inbox_parts(rows: Sequence[Row], today: str) -> Iterator[RenderableType]:
    """A team's open campaigns by what is due first, each with its brief and the command to type next."""
    if not rows:
        yield localized("لا حملات مفتوحة.", "No open campaigns.", "\n")
    for heading, chosen in (
        (localized("تأخرت", "Overdue"), [row for row in rows if row["overdue"]]),
        (localized("للتنفيذ", "To do"), [row for row in rows if not row["overdue"] and not row["paused"]]),
        (localized("موقوفة: لا عمل الآن", "Paused: nothing to do now"), [row for row in rows if row["paused"]]),
    ):
        if chosen:
            yield f"{heading} ({len(chosen)})\n"
        for row in chosen:
            yield from _inbox_lines(row, today)
            yield ""


def _inbox_lines(row: Row, today: str) -> Iterator[str]:
    service = row["service"]
    name = "" if service is None else f"  {localized(service['name']['ar'], service['name']['en'])}"
    yield f"{row['campaign_id']}{name}"
    brief = Bilingual(_short(row["brief"]["ar"]), _short(row["brief"]["en"]))
    yield from (f"{_INDENT}{line}" for line in _blocks([due(row, today), brief, *_progress(row)]))
    if (command := next_command(row)) is not None:
        yield f"{_INDENT}$ {command}"


def brief_parts(shown: Row, today: str) -> Iterator[RenderableType]:
    """One campaign as a page to print: what to say, about which service, by when, and what was done."""
    yield table([shown])
    yield ""
    texts = [Bilingual(**shown["brief"]), *_facts(shown), due(shown, today), *_progress(shown)]
    yield from _blocks([*texts, Bilingual(**shown["reason"])], between="")
    yield ""
    if shown["airings"]:
        yield _airings_table(shown["airings"])
        yield ""
    if shown["history"]:  # None, as the airings, where it is another agency's
        yield _history_table(shown["history"])
        if shown.get("more_history"):  # an older gateway does not say so
            more = f"yesser log find --subject campaign/{shown['campaign_id']}"
            yield localized(f"في السجل قيود أخرى عنها: {more}", f"The log has more entries about it: {more}", "\n")
        yield ""
    if (command := next_command(shown)) is not None:
        yield f"{_INDENT}$ {command}"


def _facts(shown: Row) -> Iterator[Bilingual]:
    service = shown["service"]
    if service is not None:
        address, channels = service["url"] or NOTHING, ", ".join(service["channels"] or [NOTHING])
        launched_on = service["launched_on"]
        launched = Bilingual(NOTHING, NOTHING) if launched_on is None else in_words(launched_on)
        yield Bilingual(f"الخدمة: {service['name']['ar']}", f"Service: {service['name']['en']}")
        yield Bilingual(f"العنوان: {address}", f"Address: {address}")
        yield Bilingual(f"الإطلاق: {launched.ar}", f"Launched: {launched.en}")
        yield Bilingual(f"قنوات الخدمة: {channels}", f"Service channels: {channels}")
    yield Bilingual(f"الجهة المسؤولة: {shown['owner']}", f"Owner: {shown['owner']}")
    names = _channel_names(shown["channels"])
    yield Bilingual(f"الوسائل: {names.ar}", f"To air on: {names.en}")
    if shown["urgency"] == "high":
        yield Bilingual("عاجلة", "Urgent")


def _progress(row: Row) -> Iterator[Bilingual]:
    """Who acknowledged, and the channels without an airing."""
    yield acknowledgement(row)
    if row["missing_channels"]:
        names = _channel_names(row["missing_channels"])
        yield Bilingual(f"لم تُبث بعد في: {names.ar}", f"Not aired yet on: {names.en}")


def due(row: Row, today: str) -> Bilingual:
    """The due date in both calendars and, while the campaign runs, how much time is left."""
    on = in_words(row["due_on"])
    if row["paused"]:
        notes = [Bilingual(*PAUSED)]
    elif row["state"] == "completed":
        notes = []
    else:
        notes = [time_left(row["due_on"], today), *([Bilingual(*ESCALATED)] if row["escalated"] else [])]
    arabic = " · ".join([f"الموعد: {on.ar}", *(note.ar for note in notes)])
    return Bilingual(arabic, " · ".join([f"Due: {on.en}", *(note.en for note in notes)]))


def acknowledgement(row: Row) -> Bilingual:
    """Who acknowledged, for which agency, when, and by which entry."""
    if row["acknowledged_index"] is None:
        return Bilingual("لم تُستلم بعد.", "Not acknowledged yet.")
    by, agency, index = row["acknowledged_by"], row["owner"], row["acknowledged_index"]
    at = _minute(row["acknowledged_at"])
    return Bilingual(
        f"استلمها {by} ({agency}) في {at} بالقيد {index}.", f"Acknowledged by {by} ({agency}) at {at}, entry {index}."
    )


def state_words(row: Row) -> str:
    """State, pause and escalation in words."""
    words = [STATES[row["state"]]]
    if row["paused"]:
        words.append(PAUSED)
    if row["escalated"]:
        words.append(ESCALATED)
    return "\n".join(localized(*word, between="\n") for word in words)


def _airings_table(airings: Sequence[Row]) -> Grid:
    columns = [
        Column("التاريخ", "On"),
        Column("الوسيلة", "Channel"),
        Column("المنفذ", "Outlet", wraps=True),
        Column("الوصول", "Reach", right=True),
        Column("رقم القيد", "Log entry", drop=1, right=True),
    ]
    rows = [
        [
            airing["aired_on"],
            airing["channel"],
            localized(airing["outlet"]["ar"], airing["outlet"]["en"], "\n"),
            f"{airing['reach']:,}",
            str(airing["index"]),
        ]
        for airing in airings
    ]
    return Grid(localized("مرات البث", "Airings"), columns, rows)


def _history_table(history: Sequence[Row]) -> Grid:
    columns = [
        Column("رقم القيد", "Log entry", right=True),
        Column("سُجّل", "Recorded", drop=2),
        Column("الحدث", "Event"),
        Column("الجهة", "Agency", drop=1),
        Column("تفصيل", "Detail", wraps=True),
    ]
    rows = [
        [
            str(step["index"]),
            _minute(step["recorded"]),
            localized(*STEPS[step["type"]]),
            step["agency"],
            _step_detail(step),
        ]
        for step in history
    ]
    return Grid(localized("ما جرى", "History"), columns, rows)


def _step_detail(step: Row) -> str | None:
    if step["anomaly"] is not None:
        return localized(f"لم يغيّر شيئًا: {step['anomaly']}", f"changed nothing: {step['anomaly']}", "\n")
    detail: str | None = step["by"] or step["channel"]
    return detail


def _channel_names(channels: Sequence[str]) -> Bilingual:
    return Bilingual("، ".join(CHANNEL_NAMES[channel] for channel in channels), ", ".join(channels))


def _blocks(texts: Sequence[Bilingual], between: str | None = None) -> Iterator[str]:
    """The lines in the chosen language; for both, all Arabic ones first, and `between` before the English ones."""
    arabic, english = "\n".join(text.ar for text in texts), "\n".join(text.en for text in texts)
    separator = "\n" if between is None else f"\n{between}\n"
    yield from localized(arabic, english, separator).split("\n")


def _minute(recorded: str) -> str:
    """`2026-11-01T08:00:00.000000Z` → `2026-11-01 11:00`: the time in Riyadh."""
    return f"{datetime.fromisoformat(recorded).astimezone(RIYADH):%Y-%m-%d %H:%M}"


def _short(text: str, characters_max: int = 160) -> str:
    """The text on one line, cut between words."""
    line = " ".join(text.split())
    if len(line) <= characters_max:
        return line
    return line[:characters_max].rsplit(" ", 1)[0] + " …"
