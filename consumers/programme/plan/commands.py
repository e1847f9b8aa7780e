"""`yesser plan` and `yesser anomalies`: now, or as of an index, a recorded time or an occurred date."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import Final
from urllib.parse import urlencode

import click
from msgspec import Struct
from rich.console import Group as Parts
from rich.console import RenderableType
from rich.text import Text

from consumers.documents.campaigns.campaigns import Channel
from consumers.documents.document import Listing, label_of
from consumers.documents.log.entries import Anomaly
from consumers.documents.names import with_code
from consumers.documents.programme import plan as documents
from consumers.documents.programme.directory import ProjectKind
from consumers.documents.tables import grid, names
from consumers.replay.as_of.point_in_time import PointInTime, as_of_options
from consumers.replay.as_of.query import print_view
from events.values.bilingual import Bilingual, InTwoLanguages, joined
from events.values.plan_figures import COUNTED, begun_and_completed
from events.wire.entry import recorded_time
from infra.command_line.display import Column, Grid, Row
from infra.command_line.language import language, localized
from infra.command_line.output import json_option
from infra.settings import Settings
from producers.sdk.problems import NotServed
from producers.sdk.read_api import Gateway, reads_options

BAR_CELLS: Final = 10
PARTNERSHIPS_SHOWN_MAX: Final = 20

_NOT_JUDGED: Final = Bilingual(
    "التناقضات وأرقام البث والشراكات غير مقيّمة هنا، لأنها تتبع ترتيب السجل لا تاريخ الوقوع. "
    "لعرضها كما كانت في وقت سابق استخدم --as-of-recorded.",
    "Anomalies, airings and partnerships are not judged here: they follow the order of the log, not the dates of "
    "events. To see them as they were at a time, use --as-of-recorded.",
)

_Line = tuple[InTwoLanguages, int, int, str]
"""A name, what is done, the target, and a note."""


@click.command()
@json_option
@as_of_options
@partial(reads_options, shows_past=True)
def plan(at: PointInTime, gateway: Gateway | None, as_json: bool) -> None:
    """Show the five-year plan at a glance · الخطة الخمسية في لمحة.

    As of an occurred date, partnerships are not shown, because the ledger's periods are closed in log order, and
    anomalies and airings are not judged (docs/audit.md).
    """
    if gateway is None:
        import uvloop

        from consumers.programme.plan.document import plan_at_a_glance

        document, name = uvloop.run(plan_at_a_glance(Settings(), at))
    else:
        document, name = _from_gateway(gateway, at)
    print_view(document, as_json, lambda: [plan_view(document, name)], at, gateway)


def _from_gateway(gateway: Gateway, at: PointInTime) -> tuple[documents.Plan, documents.PlanName | None]:
    """The plan, also of the past, and its name and dates. Raises `NotServed` for a gateway of another release."""
    recorded = None if at.recorded is None else recorded_time(at.recorded)
    named = {"as_of_index": at.index, "as_of_recorded": recorded, "as_of_occurred": at.occurred}
    query = urlencode({name: value for name, value in named.items() if value is not None})
    document, pace = (
        gateway.document(documents.Plan, f"/v1/plan?{query}"),
        gateway.document(documents.Pace, f"/v1/pace?{query}"),
    )
    if document is None or pace is None:
        raise NotServed(f"{gateway.address} does not serve the plan.")
    return document, pace.plan


@click.command()
@json_option
@as_of_options
@reads_options
def anomalies(at: PointInTime, gateway: Gateway | None, as_json: bool) -> None:
    """List the accepted events that contradict what is known; they changed nothing.

    The past is read from the database only.
    """
    if gateway is None:
        import uvloop

        from consumers.programme.plan.document import all_anomalies

        rows = uvloop.run(all_anomalies(Settings(), at))
    else:
        rows = gateway.rows(Anomaly, "/v1/anomalies") or []
        rows.sort(key=lambda row: (row.found_index, row.index))  # the gateway gives the newest first
    print_view(rows, as_json, lambda: [anomalies_view(rows)], at, gateway)


def bar(done: int, target: int) -> Text:
    """A bar of `done` against `target`; full at the target and above, empty without one."""
    filled = min(BAR_CELLS, BAR_CELLS * done // target) if target > 0 else 0
    return Text("█" * filled, style="green") + Text("░" * (BAR_CELLS - filled), style="dim")


def plan_view(plan: documents.Plan, name: documents.PlanName | None) -> RenderableType:
    """Everything in `yesser plan --json`."""
    parts: list[RenderableType] = [_heading(name), _progress(plan)]
    if plan.partnerships:
        parts.append(_partnerships(plan.partnerships))
    parts.append(Text(_counted(plan), style="dim"))
    if plan.not_judged:
        parts.append(Text(localized(_NOT_JUDGED, "\n"), style="bold yellow"))
    return Parts(*parts)


def _counted(plan: documents.Plan) -> str:
    refusals, entries = plan.refusals, plan.log_index
    judged = "anomalies" not in (plan.not_judged or ())
    anomalies = f"{plan.anomalies:,}" if judged else Bilingual("غير مقيّمة", "not judged")
    sentence = Bilingual(
        "التناقضات {}، المرفوضات {:,}، بعد {:,} من قيود سجل الأحداث",
        "Anomalies {}, refusals {:,}, after {:,} entries of the event log",
    )
    return localized(sentence.format(anomalies, refusals, entries), "\n")


def _heading(name: documents.PlanName | None) -> Text:
    if name is None:
        return Text(localized(Bilingual("لم تُعتمد خطة بعد", "No plan has been adopted yet")), style="bold")
    dates = f"{name.starts_on} … {name.ends_on}"
    return Text(localized(name.name), style="bold") + Text(f"  {name.plan_id}, {dates}", style="dim")


def _progress(plan: documents.Plan) -> Grid:
    infrastructure, applications = plan.infrastructure, plan.national_applications
    note = _counts(infrastructure, "registered", "cancelled")
    rows: list[_Line] = [(ProjectKind.INFRASTRUCTURE, infrastructure.completed, infrastructure.target, note)]
    begun, finished = begun_and_completed(map(attrgetter(*COUNTED), applications.projects))
    registered = len(applications.projects)
    note = localized(Bilingual("بدأ {} من {} مسجّلة", "{} begun of {} registered").format(begun, registered))
    rows.append((ProjectKind.NATIONAL_APPLICATION, finished, applications.target, note))
    for project in applications.projects:
        name = with_code(names(), "project", project.project_id)
        phases = Bilingual("مراحل بدأت: {}", "phases, {} started").format(project.started)
        state = Bilingual("أُلغي", "cancelled") if project.cancelled else phases
        note = localized(joined([state, with_code(names(), "agency", project.agency)]))
        label = Bilingual("  {}", "  {}").format(name)
        rows.append((label.plain() if name.ar == name.en else label, project.completed, project.phases, note))
    for group in documents.Group:
        row = plan.services.groups[group.value]
        note = _counts(row, "registered", "live", "suspended", "retired")
        rows.append((documents.group_name(group), row.launched, row.target, note))
    rows += [
        (documents.training_name(row.calendar, row.year, row.track), row.net, row.quota, _counts(row, "revoked"))
        for row in plan.training
    ]
    return _lines(rows if plan.not_judged else rows + _awareness(plan.awareness))


def _awareness(awareness: documents.Awareness) -> list[_Line]:
    launched = awareness.launched_services
    rows: list[_Line] = [
        (documents.aired_name(channel), getattr(awareness.aired, channel.value), launched, "") for channel in Channel
    ]
    general, reach = awareness.general_campaigns, awareness.reach
    sentence = Bilingual("حملات عامة: {:,}، وصول الكل: {:,}", "{:,} general campaigns, reach of all {:,}")
    note = localized(sentence.format(general, reach))
    return [*rows, (label_of(documents.Awareness, "on_all_three"), awareness.on_all_three, launched, note)]


def _lines(rows: list[_Line]) -> Grid:
    """On a narrow screen the bars are dropped first, then the details. In both languages a name shows its year once."""
    columns = [
        Column("الإنجاز", "Progress", wraps=True),
        Column("", "", drop=3),
        Column("أُنجز / الهدف", "Done / target", right=True),
        Column("الإنجاز", "الإنجاز", wraps=True),
        Column("التفصيل", "Details", drop=2, wraps=True),
    ]
    both = language() == "both"
    if both:
        columns[0] = Column("Progress", "Progress", wraps=True)
    else:
        del columns[3]
    cells: list[Row] = []
    for name, done, target, note in rows:
        arabic = "" if name.ar == name.en else name.ar.rpartition("، ")[2]
        shown = [name.en, arabic] if both else [localized(name)]
        cells.append([shown[0], bar(done, target), f"{done:,} / {target:,}", *shown[1:], Text(note, style="dim")])
    return Grid(None, columns, cells)


def _counts(row: Struct, *names: str) -> str:
    """Those that are not zero."""
    counts = [(label_of(type(row), name), getattr(row, name)) for name in names]
    return localized(joined(Bilingual("{}: {:,}", "{}: {:,}").format(*pair) for pair in counts if pair[1]))


def _partnerships(rows: Sequence[documents.SharedRevenue]) -> RenderableType:
    table, more = grid(documents.PARTNERSHIPS, rows[:PARTNERSHIPS_SHOWN_MAX]), len(rows) - PARTNERSHIPS_SHOWN_MAX
    if more <= 0:
        return table
    sentence = Bilingual("وغيرها {:,}: انظر --json", "and {:,} more: see --json").format(more)
    return Parts(table, Text(localized(sentence), style="dim"))


def anomalies_view(rows: Sequence[Anomaly]) -> RenderableType:
    """The anomalies as a table, the last ones last."""
    if not rows:
        return Text(localized(Bilingual("لا تناقضات", "No anomalies")))
    number = f"{len(rows):,}"
    title = Bilingual("التناقضات: {}", "Anomalies: {}").format(number)
    if rows[0].judged is False:
        title = Bilingual(
            "لا تتفق مع ما وقع حتى هذا التاريخ: {}. لا يعني ذلك أنها خطأ، لأنها اختيرت بتاريخ الوقوع لا بترتيب السجل.",
            "{} that do not fit what had occurred by this date. This does not make them wrong: "
            "they were chosen by the dates of events, not by the order of the log.",
        ).format(number)
    return grid(Listing(title.ar, title.en, Anomaly), rows)
