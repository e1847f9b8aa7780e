"""Campaigns for people, in Arabic and English: a team's inbox, one campaign with its brief, why it was triggered, and
what was aired about each service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import UNSET
from rich.console import RenderableType
from rich.text import Text

from consumers.documents.campaigns import campaigns
from consumers.documents.campaigns.campaigns import AGENCIES, SERVICES, ChannelCoverage, Coverage, ServiceCoverage
from consumers.documents.campaigns.evaluations import (
    RULES,
    CampaignRule,
    Evaluation,
    ExplainedCampaign,
    Explanation,
    RuleSetDocument,
    Trial,
)
from consumers.documents.document import document_of, label_of
from consumers.documents.names import with_code
from consumers.documents.tables import grid, names
from consumers.programme.campaigns.dates import in_words
from consumers.programme.campaigns.next_step import next_command, time_left
from consumers.programme.campaigns.rules.rule import MOMENTS, Rule, RuleSet
from consumers.programme.campaigns.rules.rule_file import Fault
from events.values.bilingual import Bilingual, in_lines, joined
from events.values.working_days import riyadh_minute
from infra.command_line.display import NOTHING
from infra.command_line.language import localized
from infra.command_line.table_files import csv_text

NOT_JUDGED: Final = Bilingual(
    "تُحسب الحملات من موعدها، فلا يُقيَّم هنا ما كان جاريًا من حملات موعدها بعد هذا التاريخ ولا ما بُث فيها. "
    "لعرضها كما كانت في وقت سابق استخدم --as-of-recorded.",
    "Campaigns count from their due date on: those that are due after this date, and what was aired in them, are not "
    "judged here. To see them as they were at a time, use --as-of-recorded.",
)
"""What a view of the events that occurred by a date cannot say of campaigns."""
_INDENT: Final = "    "
_KINDS: Final = {
    "campaign": Bilingual("حملة", "campaign"),
    "service": Bilingual("خدمة", "service"),
    "quota": Bilingual("مقاعد", "quota"),
    "group": Bilingual("مجموعة", "group"),
    "initiative": Bilingual("مبادرة", "initiative"),
}
_COLUMNS: Final = (
    *("service_id", "name_ar", "name_en", "agency", "plan_id", "group", "launched_on"),
    *("channel", "airings", "reach", "first_aired_on", "days_to_first_airing"),
)


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


def coverage_tables(document: Coverage) -> Iterator[RenderableType]:
    """The services, then the totals by agency, then what of it is not judged."""
    yield grid(SERVICES, document.services)
    yield ""
    yield grid(AGENCIES, document.agencies, document.total)
    if document.not_judged is not UNSET:
        yield not_judged()


def coverage_csv(services: Iterable[ServiceCoverage]) -> str:
    """One row for each service and channel, also for those without an airing."""
    return csv_text(_COLUMNS, (cells for service in services for cells in _cells(service)))


def _cells(service: ServiceCoverage) -> Iterator[tuple[int | str | None, ...]]:
    about = (service.agency, service.plan_id, service.group, service.launched_on)
    shared = (service.service_id, service.name.ar, service.name.en, *about)
    for channel in campaigns.CHANNELS:
        aired: ChannelCoverage = getattr(service.channels, channel)
        yield (*shared, channel, aired.airings, aired.reach, aired.first_aired_on, aired.days_to_first_airing)


def explanation_parts(found: Explanation) -> Iterator[str]:
    """The campaigns with who has them, what prevents one, and each evaluation with its reason."""
    yield f"{localized(_KINDS[found.about.kind])}  {found.about.id}\n"
    for campaign in found.campaigns:
        yield from _campaign_lines(campaign)
    for text in found.remarks:
        yield localized(text, "\n")
    if found.evaluations:
        yield "\n" + localized(Bilingual("ما قررته القواعد", "What the rules decided"))
    for row in found.evaluations:
        yield from _evaluation_lines(row)


def _campaign_lines(campaign: ExplainedCampaign) -> Iterator[str]:
    entry, on = "—" if campaign.triggered_index is None else f"i{campaign.triggered_index}", campaign.due_on
    yield f"{campaign.campaign_id}  {localized(with_code(names(), 'agency', campaign.owner))}"
    yield _INDENT + localized(Bilingual("القيد {}، الموعد {}", "entry {}, due on {}").format(entry, on), f"\n{_INDENT}")
    said = acknowledgement(campaign)
    yield _INDENT + localized(said, f"\n{_INDENT}")


def _evaluation_lines(row: Evaluation) -> Iterator[str]:
    verdict = localized(Bilingual("أُطلقت", "fired")) if row.fired else localized(Bilingual("لم تُطلق", "did not fire"))
    part = f" {row.part}" if row.part else ""
    entries = f"i{row.cause_index}"
    if row.count is not UNSET:
        entries = f"i{row.first_index}…{entries} ×{row.count}"
    yield f"{row.rule}{part}  {entries}  {verdict}"
    yield _INDENT + localized(row.reason, f"\n{_INDENT}")


def rule_document(rule: Rule) -> CampaignRule:
    return document_of(CampaignRule, vars(rule), after_working_days=rule.after_working_days or None)


def rules_document(rules: RuleSet) -> RuleSetDocument:
    """A set as JSON."""
    rows = [rule_document(rule) for rule in rules.rules]
    return {"version": rules.version, "from": "deployment" if rules.own else "release", "rules": rows}


def rules_parts(rules: RuleSet) -> Iterator[RenderableType]:
    """The rules as a table."""
    yield grid(RULES, map(rule_document, rules.rules))
    if rules.own:
        sentence = Bilingual("من مجلد هذه المنشأة (YESSER_CAMPAIGN_RULES).", "From this deployment's folder.")
        yield localized(sentence, "\n")
    else:
        yield localized(Bilingual("قواعد هذا الإصدار.", "The rules of this release."), "\n")


def rule_parts(rule: CampaignRule) -> Iterator[str]:
    """One rule with its texts and the placeholders that they may use."""
    yield f"{rule.name}  {rule.version}  {rule.when}"
    channels, due = rule.channels, rule.due_working_days
    sentence = Bilingual(
        "حملة {kind}، {owner}، {channels}، خلال {due} من أيام العمل، {urgency}.",
        "{kind} campaign. {owner}. {channels}. Due in {due} working days. {urgency}.",
    ).format(kind=rule.kind, owner=rule.owner, channels=joined(channels), due=due, urgency=rule.urgency)
    yield localized(sentence, "\n")
    for heading, text in (
        (label_of(campaigns.InboxItem, "brief"), rule.brief),
        (Bilingual("السبب", "Reason"), rule.reason),
    ):
        yield f"\n{localized(heading)}\n" + localized(text, "\n")
    known = ", ".join(f"{{{name}}}" for name in MOMENTS[rule.when].placeholders)
    yield "\n" + localized(Bilingual("المواضع المتاحة: {}", "Placeholders: {}").format(known), "\n")


def faults_parts(faults: Sequence[Fault]) -> Iterator[str]:
    """Every fault with its file and pointer."""
    for fault in faults:
        yield f"{fault.file} {fault.pointer}".rstrip()
        yield "    " + localized(fault.detail, "\n    ")


def trial_parts(trial: Trial) -> Iterator[RenderableType]:
    """What would have been triggered, and what not any more."""
    for heading, rows in (
        (Bilingual("تُطلق مع هذا التغيير", "Would have been triggered"), trial.fired),
        (Bilingual("لا تُطلق بعد هذا التغيير", "Would not have been triggered"), trial.no_longer),
        (Bilingual("تُطلق بنص أو موعد مختلف", "Would have been triggered differently"), trial.changed),
    ):
        yield f"{localized(heading)}: {len(rows)}"
        for row in rows:
            subject = " · ".join(filter(None, (row.owner, row.service_id, row.due_on)))
            differs = f"  ({', '.join(row.differs_in)})" if row.differs_in is not UNSET else ""
            logged = f"  {localized(Bilingual('في السجل', 'in the log'))}" if row.in_log else ""
            yield f"  {row.campaign_id}  {subject}{differs}{logged}"
            yield "    " + localized(row.reason, "\n    ")
    yield localized(Bilingual("بلا تغيير: {}", "Unchanged: {}").format(trial.unchanged))
    sentence = Bilingual(
        "القيود {}…{}. لم يُكتب شيء ولم يُنشر شيء.", "Entries {} … {}. Nothing was written or published."
    ).format(trial.since, trial.log_index)
    yield localized(sentence, "\n")
