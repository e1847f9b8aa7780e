"""Composes a letter from what happened: a subject and a page in each language. Pure.

Flows in: a `Notice` about one campaign, a digest, a disabled endpoint, or a notice to engineers. Flows out: a `Letter`,
whose every inserted value is one line without control characters, isolated where its direction would turn the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import quote

from msgspec.structs import asdict

from consumers.delivery.due_campaigns import DueCampaign, Team
from consumers.delivery.mail import wording
from consumers.delivery.mail.wording import WORDINGS, Wording
from consumers.delivery.plain_text import line, line_of, lines_of
from consumers.documents.campaigns import campaigns
from consumers.documents.document import Labelled, label_of
from consumers.documents.programme.directory import Service
from consumers.documents.teams.notices import Notice as TopicNotice
from consumers.documents.teams.notices import NoticeItem
from consumers.programme.campaigns.dates import in_words
from consumers.programme.campaigns.next_step import acknowledge_command, air_command, working_days_left
from consumers.replay.as_of.point_in_time import RIYADH
from events.faults.problems import PROBLEMS
from events.types.contradictions import RULES
from events.values.bilingual import Bilingual, Language, joined
from events.values.calendar import day_after
from events.wire.envelope import short_type
from infra.json_documents import members

SUBJECT_NAME_MAX: Final = 80
GROUP_ROWS_MAX: Final = 50
WEEK_DAYS: Final = 7
Text: TypeAlias = Bilingual | Labelled
Place: TypeAlias = tuple[Bilingual, str]
"""What leads somewhere, and its address or the command."""
_TITLES: Final[Mapping[str, Bilingual]] = {code: problem.title for code, problem in PROBLEMS.items()}
_MISSING: Final = label_of(campaigns.InboxItem, "missing_channels")


@dataclass(frozen=True, slots=True)
class Letter:
    """What the templates show in each of `languages`, the team's first. The subject is one line in both.

    `facts` have several lines; `groups` a heading, the number of all campaigns (None where the heading says it) and the
    rows that are shown; `stop` is the link by which the reader stops letters to this address.
    """

    subject: str
    languages: tuple[Language, Language]
    heading: Bilingual
    paragraphs: Sequence[Bilingual]
    facts: Sequence[tuple[Bilingual, Text]]
    groups: Sequence[tuple[Text, int | None, Sequence[Bilingual]]]
    link: Place | None
    commands: Sequence[Place]
    footer: Bilingual
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
    return _letter(
        context,
        words,
        _notice_values(notice),
        facts=_facts(notice, context.today, brief=words.shows_brief),
        link=_at(context, f"campaigns/{quote(notice.campaign_id, safe='')}", wording.IN_CONSOLE),
        commands=_commands(notice) if words.asks else (),
        is_urgent=notice.is_urgent and words.asks,
    )


def digest_letter(rows: Sequence[DueCampaign], context: Context) -> Letter:
    """The team's open campaigns: in silence, overdue, to complete, due this week, later, paused."""
    today, week_end = context.today, day_after(context.today, WEEK_DAYS)
    running = [row for row in rows if not row.is_completed and not row.is_paused]
    past = [row for row in running if row.due_on < today]
    overdue = [row for row in past if row.missing or row.acknowledged_by is None]
    this_week = [row for row in running if today <= row.due_on < week_end]
    groups = (
        (wording.SILENT, [row for row in overdue if _is_silent(row)]),
        (campaigns.Section.OVERDUE, [row for row in overdue if not _is_silent(row)]),
        (
            label_of(campaigns.InboxCounts, "complete"),
            [row for row in past if not row.missing and row.acknowledged_by is not None],
        ),
        (wording.THIS_WEEK, this_week),
        (wording.LATER, [row for row in running if row.due_on >= week_end]),
        (label_of(campaigns.InboxItem, "paused"), [row for row in rows if not row.is_completed and row.is_paused]),
    )

    values = {
        "team": line_of(context.team.name),
        "when": in_words(today),
        "overdue": len(overdue),
        "this_week": len(this_week),
    }
    shown = [_group(title, part, context.team) for title, part in groups if part]
    link = _at(context, "campaigns", wording.OPEN_CONSOLE)
    return _letter(context, WORDINGS["digest"], values, more=() if shown else (wording.NONE,), groups=shown, link=link)


def _is_silent(row: DueCampaign) -> bool:
    """Whether a service was launched and nothing was aired about it. A general campaign is about no service."""
    return row.service_name is not None and not any(row.aired.values())


def endpoint_letter(endpoint_id: str, reason: str | None, context: Context) -> Letter:
    """A webhook of the team was disabled. `reason`: `gone`, `failing` or `by-team`."""
    why = {"gone": wording.GONE, "by-team": wording.BY_TEAM}.get(reason or "", wording.FAILING)
    path = f"campaigns/webhooks/{quote(endpoint_id, safe='')}"
    command = f"POST /v1/webhooks/{line(endpoint_id)}/enable"
    return _letter(
        context,
        WORDINGS["endpoint-disabled"],
        {"endpoint": line(endpoint_id), "why": why},
        commands=[(wording.ENABLE, command)],
        link=_at(context, path, wording.WEBHOOK_IN_CONSOLE),
    )


def topic_letter(name: str, notice: TopicNotice, context: Context, agency: Bilingual | None = None) -> Letter:
    """What goes wrong with what an agency sends: the first things, and where all of them are read. `agency`: its name,
    of one that is registered."""
    code = line(notice.agency)
    named = Bilingual("{} ({})", "{} ({})").format(line_of(asdict(agency)), code) if agency else code
    values = {"count": notice.count, "agency": named}
    is_cut = notice.count > len(notice.items)
    whole = {"notice.pause": wording.FIRST_WAIT, "notice.resumed": wording.NOT_READ}.get(name, wording.ITEMS)
    heading = wording.FIRST_ITEMS.format(len(notice.items), notice.count) if is_cut else whole
    return _letter(
        context,
        WORDINGS[name],
        values,
        groups=[(heading, None, [_item(item) for item in notice.items])],
        link=None if notice.console is None else (wording.OPEN_CONSOLE, notice.console),
        commands=[(wording.FROM_GATEWAY, f"GET {notice.gateway}")],
    )


def _item(item: NoticeItem) -> Bilingual:
    """The members of an item that are set, each with its label."""
    parts = []
    shown: object
    for name, value in members(item).items():
        if isinstance(value, datetime):
            value = f"{value.astimezone(RIYADH):%Y-%m-%d %H:%M}"
        elif name == "type":
            value = short_type(value)
        if name == "codes":
            shown = joined(_with_code(_TITLES, code) for code in value)
        elif name == "rule":
            shown = _with_code(RULES, value)
        else:
            shown = line_of(asdict(value)) if isinstance(value, Bilingual) else line(str(value))
        parts.append(Bilingual("{}: {}", "{}: {}").format(label_of(NoticeItem, name), shown))
    return joined(parts, " · ", " · ")


def _with_code(names: Mapping[str, Bilingual], code: str) -> Bilingual | str:
    """What a code says, with it; the code alone where a later release knows more of them."""
    shown = line(code)
    return Bilingual("{} ({})", "{} ({})").format(names[code], shown) if code in names else shown


def confirmation_letter(confirm: str, context: Context) -> Letter:
    """Asks the reader of an address to confirm it. Nobody has confirmed it yet: no text of the team's is in it."""
    team = context.team
    code = f"{team.agency}/{team.team}"
    context = replace(context, team=replace(team, name={"ar": code, "en": code}))
    return _letter(context, WORDINGS["confirm-address"], {"team": line(code)}, link=(wording.CONFIRM, confirm))


def _letter(
    context: Context,
    words: Wording,
    values: Mapping[str, object],
    *,
    more: Sequence[Bilingual] = (),
    facts: Sequence[tuple[Bilingual, Text]] = (),
    groups: Sequence[tuple[Text, int | None, Sequence[Bilingual]]] = (),
    link: Place | None = None,
    commands: Sequence[Place] = (),
    is_urgent: bool = False,
) -> Letter:
    heading, lead = words.subject.format(**values), words.lead.format(**values)
    paragraphs = [*([wording.REPEAT_NOTE] if context.is_repeat else []), lead, *more]
    languages = context.team.languages
    first, other = languages
    flags = (
        (wording.REPEAT, context.is_repeat),
        (wording.REPLAY, context.is_replay),
        (campaigns.Urgency.HIGH, is_urgent),
    )
    marks = [mark for mark, is_set in flags if is_set]
    prefix = "".join(f"[{mark.of(first)} / {mark.of(other)}] " for mark in marks)
    # Without isolates: programs show a subject alone, and some show these marks as boxes.
    subject = prefix + line(f"{heading.of(first)} | {heading.of(other)}", 400)
    footer = wording.FOOTER.format(team=line_of(context.team.name))
    return Letter(subject, languages, heading, paragraphs, facts, groups, link, commands, footer, context.stop)


def _notice_values(notice: Notice) -> dict[str, object]:
    """Clean: no text of an event has more than its visible characters."""
    name = notice.service_name
    values: dict[str, object] = {
        "name": line_of(name, SUBJECT_NAME_MAX) if name else line(notice.campaign_id, SUBJECT_NAME_MAX),
        "due": in_words(notice.due_on),
        "due_short": notice.due_on,
        "channels": campaigns.channel_list(notice.channels),
        "when": in_words(notice.on) if notice.on else "",
        "index": f"i{notice.index}",
    }
    return values | {key: line_of(value) for key, value in notice.values.items()}


def _facts(notice: Notice, today: str, *, brief: bool) -> list[tuple[Bilingual, Text]]:
    is_open = notice.kind != "completed"
    label = partial(label_of, campaigns.InboxItem)
    url, launched_on = notice.service_url if brief else None, notice.launched_on if brief else None
    days_left = working_days_left(notice.due_on, today) if brief and today <= notice.due_on else None
    standing: list[tuple[Bilingual, Text | None]] = [
        (_MISSING, campaigns.channel_list(notice.missing) if notice.missing and is_open else None),
        (label("state"), _acknowledged(notice.acknowledged) if is_open else None),
    ]
    texts: list[tuple[Bilingual, Text | None]] = [
        (label("brief"), lines_of(notice.brief) if brief else None),
        (wording.REASON, None if notice.reason is None else lines_of(notice.reason)),
        (label("service"), None if notice.service_name is None else line_of(notice.service_name)),
        (label_of(campaigns.CampaignService, "url"), Bilingual(line(url, 2_000), line(url, 2_000)) if url else None),
        (label_of(Service, "launched_on"), in_words(launched_on) if launched_on else None),
        (label("due_on"), in_words(notice.due_on)),
        (wording.WORKING_DAYS_LEFT, None if days_left is None else Bilingual(str(days_left), str(days_left))),
        (label_of(campaigns.CampaignAndHistory, "urgency"), campaigns.Urgency.HIGH if notice.is_urgent else None),
        (label("channels"), campaigns.channel_list(notice.channels)),
    ]
    # A reminder is about what is missing.
    ordered = [*standing, *texts] if notice.kind == "reminder" else [*texts, *standing]
    ordered.append((label("campaign_id"), Bilingual(notice.campaign_id, notice.campaign_id)))
    return [(name, text) for name, text in ordered if text is not None]


def _acknowledged(acknowledged: Acknowledgement | None) -> Text:
    if acknowledged is None:
        return campaigns.CampaignState.TRIGGERED
    by, on = line(acknowledged.by), in_words(acknowledged.on)
    return wording.ACKNOWLEDGED_BY.format(by=by, when=on, index=f"i{acknowledged.index}")


def _commands(notice: Notice) -> list[Place]:
    commands = []
    if notice.acknowledged is None:
        commands.append((wording.ACKNOWLEDGE, acknowledge_command(notice.campaign_id)))
    if notice.missing:
        commands.append((wording.REPORT_AIRING, air_command(notice.campaign_id, notice.missing[0])))
    return commands


def _at(context: Context, path: str, words: Bilingual) -> Place | None:
    """A page of the console, if there is one."""
    return None if context.console is None else (words, f"{context.console.rstrip('/')}/{path}")


def _group(title: Text, rows: Sequence[DueCampaign], team: Team) -> tuple[Text, int, list[Bilingual]]:
    shown = [_row(row) for row in rows[:GROUP_ROWS_MAX]]
    if len(rows) > GROUP_ROWS_MAX:
        command = f"yesser campaigns inbox --agency {team.agency} --team {team.team}"
        shown.append(wording.FURTHER.format(count=len(rows) - GROUP_ROWS_MAX, command=command))
    return title, len(rows), shown


def _row(row: DueCampaign) -> Bilingual:
    name = line_of(row.service_name, SUBJECT_NAME_MAX) if row.service_name else row.campaign_id
    parts: list[object] = [name, row.due_on]
    if row.acknowledged_by is None and not row.is_paused:
        parts.append(campaigns.CampaignState.TRIGGERED)
    if row.missing and not row.is_paused:
        parts.append(Bilingual("{}: {}", "{}: {}").format(_MISSING, campaigns.channel_list(row.missing)))
    return joined([*parts, row.campaign_id] if row.service_name else parts, " · ", " · ")
