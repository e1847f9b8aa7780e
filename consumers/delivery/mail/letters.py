"""Composes a letter from what happened: a subject and a page in each language. Pure.

Flows in: a `Notice` about one campaign, a digest, a disabled endpoint, or a notice to engineers. Flows out: a `Letter`,
whose every inserted value is one line without control characters, isolated where its direction would turn the sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote

from msgspec.structs import asdict

from consumers.delivery.due_campaigns import DueCampaign, Team
from consumers.delivery.mail import wording
from consumers.delivery.mail.wording import WORDINGS, Wording
from consumers.delivery.plain_text import line, line_of, lines
from consumers.documents.campaigns.campaigns import (
    CampaignAndHistory,
    CampaignService,
    CampaignState,
    InboxCounts,
    InboxItem,
    Section,
    Urgency,
    channel_list,
)
from consumers.documents.document import Labelled, label_of
from consumers.documents.programme.directory import Service
from consumers.documents.teams.notices import Notice as TopicNotice
from consumers.documents.teams.notices import NoticeItem
from consumers.programme.campaigns.dates import in_words
from consumers.programme.campaigns.next_step import acknowledge_command, air_command, working_days_left
from consumers.replay.as_of.point_in_time import RIYADH
from events.values.bilingual import Bilingual, Language, joined
from events.values.calendar import day_after
from infra.json_documents import members

SUBJECT_NAME_MAX: Final = 80
GROUP_ROWS_MAX: Final = 50
WEEK_DAYS: Final = 7
_MISSING: Final = label_of(InboxItem, "missing_channels")


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value of one or several lines."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where to go or what to type, with its label."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Group:
    """Campaigns of a digest under a heading. `count`: of all of them; `rows` are the first ones, and where the others
    are."""

    heading: str
    count: int
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The letter in one language."""

    language: Language
    heading: str
    paragraphs: tuple[str, ...]
    facts: tuple[Fact, ...]
    groups: tuple[Group, ...]
    link: Pointer | None
    commands: tuple[Pointer, ...]
    footer: str
    stop: Pointer

    @property
    def direction(self) -> str:
        return "rtl" if self.language == "ar" else "ltr"


@dataclass(frozen=True, slots=True)
class Letter:
    """The subject is one line in both languages; the team's language is first in it and in `pages`.

    `stop`: the link by which the reader stops letters to this address.
    """

    subject: str
    pages: tuple[Page, Page]
    stop: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who took a campaign: a desk, the date in Riyadh, and the entry that says so."""

    by: str
    on: str
    index: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to a campaign, and its state. `on`, `index` are of the entry; None for a reminder.

    `reason` is the platform's, where the entry has one. `values` are further values of the sentences: `by`, `outlet`,
    `channel`.
    """

    kind: str
    campaign_id: str
    due_on: str
    brief: Mapping[str, str]
    reason: Mapping[str, str] | None
    channels: Sequence[str]
    missing: Sequence[str]
    acknowledged: Acknowledgement | None
    service_name: Mapping[str, str] | None = None
    service_url: str | None = None
    launched_on: str | None = None
    on: str | None = None
    index: int | None = None
    is_urgent: bool = False
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """For whom a letter is, and on which day in Riyadh. `stop` is the link by which its reader stops letters, `console`
    the address that links to the console begin with.
    """

    team: Team
    today: str
    stop: str
    console: str | None = None
    is_replay: bool = False
    is_repeat: bool = False


def notice_letter(notice: Notice, context: Context) -> Letter:
    """What happened to a campaign, its state, and what to do."""
    words = WORDINGS[notice.kind]

    def page(language: Language) -> Page:
        return _page(
            context,
            language,
            words,
            _notice_values(notice),
            facts=_facts(notice, language, context.today, brief=words.shows_brief),
            link=_at(context, f"campaigns/{quote(notice.campaign_id, safe='')}", wording.IN_CONSOLE.of(language)),
            commands=_commands(notice, language) if words.asks else (),
        )

    return _letter(context, page, is_urgent=notice.is_urgent and words.asks)


def digest_letter(campaigns: Sequence[DueCampaign], context: Context) -> Letter:
    """The team's open campaigns: in silence, overdue, to complete, due this week, later, paused."""
    today, week_end = context.today, day_after(context.today, WEEK_DAYS)
    running = [row for row in campaigns if not row.is_completed and not row.is_paused]
    past = [row for row in running if row.due_on < today]
    overdue = [row for row in past if row.missing or row.acknowledged_by is None]
    this_week = [row for row in running if today <= row.due_on < week_end]
    groups = (
        (wording.SILENT, [row for row in overdue if _is_silent(row)]),
        (Section.OVERDUE, [row for row in overdue if not _is_silent(row)]),
        (
            label_of(InboxCounts, "complete"),
            [row for row in past if not row.missing and row.acknowledged_by is not None],
        ),
        (wording.THIS_WEEK, this_week),
        (wording.LATER, [row for row in running if row.due_on >= week_end]),
        (label_of(InboxItem, "paused"), [row for row in campaigns if not row.is_completed and row.is_paused]),
    )

    values = {
        "team": line_of(context.team.name),
        "when": in_words(today),
        "overdue": len(overdue),
        "this_week": len(this_week),
    }

    def page(language: Language) -> Page:
        shown = tuple(_group(title, rows, language, context.team) for title, rows in groups if rows)
        more = () if shown else (wording.NONE.of(language),)
        return _page(context, language, WORDINGS["digest"], values, more, groups=shown)

    return _letter(context, page)


def _is_silent(row: DueCampaign) -> bool:
    """Whether a service was launched and nothing was aired about it. A general campaign is about no service."""
    return row.service_name is not None and not any(row.aired.values())


def endpoint_letter(endpoint_id: str, reason: str | None, context: Context) -> Letter:
    """A webhook of the team was disabled. `reason`: `gone`, `failing` or `by-team`."""
    why = {"gone": wording.GONE, "by-team": wording.BY_TEAM}.get(reason or "", wording.FAILING)
    path = f"campaigns/webhooks/{quote(endpoint_id, safe='')}"
    command = f"POST /v1/webhooks/{line(endpoint_id)}/enable"

    def page(language: Language) -> Page:
        return _page(
            context,
            language,
            WORDINGS["endpoint-disabled"],
            {"endpoint": line(endpoint_id), "why": why},
            commands=(Pointer(wording.ENABLE.of(language), command),),
            link=_at(context, path, wording.WEBHOOK_IN_CONSOLE.of(language)),
        )

    return _letter(context, page)


def topic_letter(name: str, notice: TopicNotice, context: Context) -> Letter:
    """What goes wrong with what an agency sends: the first things, and where all of them are read."""
    values = {"count": notice.count, "agency": line(notice.agency)}
    heading = wording.FIRST_ITEMS if notice.count > len(notice.items) else wording.ITEMS

    def page(language: Language) -> Page:
        rows = tuple(_item(item).of(language) for item in notice.items)
        return _page(
            context,
            language,
            WORDINGS[name],
            values,
            groups=(Group(heading.of(language), notice.count, rows),),
            link=None if notice.console is None else Pointer(wording.OPEN_CONSOLE.of(language), notice.console),
            commands=(Pointer(wording.FROM_GATEWAY.of(language), f"GET {notice.gateway}"),),
        )

    return _letter(context, page)


def _item(item: NoticeItem) -> Bilingual:
    """The members of an item that are set, each with its label."""
    parts = []
    for name, value in members(item).items():
        if isinstance(value, datetime):
            value = f"{value.astimezone(RIYADH):%Y-%m-%d %H:%M}"
        elif isinstance(value, tuple):
            value = ", ".join(value)
        shown = line_of(asdict(value)) if isinstance(value, Bilingual) else line(str(value))
        parts.append(Bilingual("{}: {}", "{}: {}").format(label_of(NoticeItem, name), shown))
    return joined(parts, " · ", " · ")


def confirmation_letter(confirm: str, context: Context) -> Letter:
    """Asks the reader of an address to confirm it. Nobody has confirmed it yet: no text of the team's is in it."""
    team = context.team
    code = f"{team.agency}/{team.team}"
    context = replace(context, team=replace(team, name={"ar": code, "en": code}))

    def page(language: Language) -> Page:
        link = Pointer(wording.CONFIRM.of(language), confirm)
        return _page(context, language, WORDINGS["confirm-address"], {"team": line(code)}, link=link)

    return _letter(context, page)


def _letter(context: Context, page: Callable[[Language], Page], *, is_urgent: bool = False) -> Letter:
    first, other = map(page, context.team.languages)
    flags = ((wording.REPEAT, context.is_repeat), (wording.REPLAY, context.is_replay), (Urgency.HIGH, is_urgent))
    marks = [mark for mark, is_set in flags if is_set]
    prefix = "".join(f"[{mark.of(first.language)} / {mark.of(other.language)}] " for mark in marks)
    # Without isolates: programs show a subject alone, and some show these marks as boxes.
    return Letter(prefix + line(f"{first.heading} | {other.heading}", 400), (first, other), context.stop)


def _page(
    context: Context,
    language: Language,
    words: Wording,
    values: Mapping[str, object],
    more: Sequence[str] = (),
    *,
    facts: tuple[Fact, ...] = (),
    groups: tuple[Group, ...] = (),
    link: Pointer | None = None,
    commands: tuple[Pointer, ...] = (),
) -> Page:
    heading, lead = (template.format(**values).of(language) for template in (words.subject, words.lead))
    repeat = [wording.REPEAT_NOTE.of(language)] if context.is_repeat else []
    footer = wording.FOOTER.format(team=line_of(context.team.name)).of(language)
    stop = Pointer(wording.STOP.of(language), context.stop)
    return Page(language, heading, (*repeat, lead, *more), facts, groups, link, commands, footer, stop)


def _notice_values(notice: Notice) -> dict[str, object]:
    """Clean: no text of an event has more than its visible characters."""
    name = notice.service_name
    values: dict[str, object] = {
        "name": line_of(name, SUBJECT_NAME_MAX) if name else line(notice.campaign_id, SUBJECT_NAME_MAX),
        "due": in_words(notice.due_on),
        "due_short": notice.due_on,
        "channels": channel_list(notice.channels),
        "when": in_words(notice.on) if notice.on else "",
        "index": f"i{notice.index}",
    }
    return values | {key: line_of(value) for key, value in notice.values.items()}


def _facts(notice: Notice, language: Language, today: str, *, brief: bool) -> tuple[Fact, ...]:
    is_open = notice.kind != "completed"
    label = partial(label_of, InboxItem)
    url, launched_on = notice.service_url if brief else None, notice.launched_on if brief else None
    days_left = working_days_left(notice.due_on, today) if brief and today <= notice.due_on else None
    standing: list[tuple[Bilingual, Sequence[str] | None]] = [
        (_MISSING, [channel_list(notice.missing).of(language)] if notice.missing and is_open else None),
        (label("state"), [_acknowledged(notice.acknowledged).of(language)] if is_open else None),
    ]
    texts: list[tuple[Bilingual, Sequence[str] | None]] = [
        (label("brief"), lines(notice.brief[language]) if brief else None),
        (wording.REASON, None if notice.reason is None else lines(notice.reason[language])),
        (label("service"), None if notice.service_name is None else [line(notice.service_name[language])]),
        (label_of(CampaignService, "url"), [line(url, 2_000)] if url else None),
        (label_of(Service, "launched_on"), [in_words(launched_on).of(language)] if launched_on else None),
        (label("due_on"), [in_words(notice.due_on).of(language)]),
        (wording.WORKING_DAYS_LEFT, None if days_left is None else [str(days_left)]),
        (label_of(CampaignAndHistory, "urgency"), [Urgency.HIGH.of(language)] if notice.is_urgent else None),
        (label("channels"), [channel_list(notice.channels).of(language)]),
    ]
    # A reminder is about what is missing.
    ordered = [*standing, *texts] if notice.kind == "reminder" else [*texts, *standing]
    ordered.append((label("campaign_id"), [notice.campaign_id]))
    return tuple(Fact(name.of(language), tuple(shown)) for name, shown in ordered if shown is not None)


def _acknowledged(acknowledged: Acknowledgement | None) -> Bilingual | Labelled:
    if acknowledged is None:
        return CampaignState.TRIGGERED
    by, on = line(acknowledged.by), in_words(acknowledged.on)
    return wording.ACKNOWLEDGED_BY.format(by=by, when=on, index=f"i{acknowledged.index}")


def _commands(notice: Notice, language: Language) -> tuple[Pointer, ...]:
    commands = []
    if notice.acknowledged is None:
        commands.append(Pointer(wording.ACKNOWLEDGE.of(language), acknowledge_command(notice.campaign_id)))
    if notice.missing:
        airing = air_command(notice.campaign_id, notice.missing[0])
        commands.append(Pointer(wording.REPORT_AIRING.of(language), airing))
    return tuple(commands)


def _at(context: Context, path: str, words: str) -> Pointer | None:
    """A page of the console, if there is one."""
    if context.console is None:
        return None
    return Pointer(words, f"{context.console.rstrip('/')}/{path}")


def _group(title: Bilingual | Labelled, rows: Sequence[DueCampaign], language: Language, team: Team) -> Group:
    shown = [_row(row).of(language) for row in rows[:GROUP_ROWS_MAX]]
    if len(rows) > GROUP_ROWS_MAX:
        command = f"yesser campaigns inbox --agency {team.agency} --team {team.team}"
        shown.append(wording.FURTHER.format(count=len(rows) - GROUP_ROWS_MAX, command=command).of(language))
    return Group(title.of(language), len(rows), tuple(shown))


def _row(row: DueCampaign) -> Bilingual:
    name = line_of(row.service_name, SUBJECT_NAME_MAX) if row.service_name else row.campaign_id
    parts: list[object] = [name, row.due_on]
    if row.acknowledged_by is None and not row.is_paused:
        parts.append(CampaignState.TRIGGERED)
    if row.missing and not row.is_paused:
        parts.append(Bilingual("{}: {}", "{}: {}").format(_MISSING, channel_list(row.missing)))
    return joined([*parts, row.campaign_id] if row.service_name else parts, " · ", " · ")
