"""The plan at a glance as text, in Arabic and English: bars against targets.

A line begins with its English and ends with its Arabic name, so that terminals with and without support for
bidirectional text show the figures in the same column.
"""

from __future__ import annotations

from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from events.values.money import riyals_text
from events.values.plan_figures import begun_and_completed
from events.wire.envelope import short_type
from infra.command_line.display import Column, Grid, Row
from infra.command_line.language import language, localized

BAR_CELLS: Final = 10
PARTNERSHIPS_SHOWN_MAX: Final = 20
GROUP_NAMES: Final = {
    "1": ("خدمات المجموعة الأولى", "Services, first group"),
    "2": ("خدمات المجموعة الثانية", "Services, second group"),
    "3": ("خدمات المجموعة الثالثة", "Services, third group"),
}
TRACK_NAMES: Final = {
    "usage": ("الاستخدام", "use"),
    "specialist": ("المتخصصون", "specialists"),
    "leadership": ("القيادات ومديرو المشاريع", "leaders"),
}
CHANNEL_NAMES: Final = {"tv": ("مرئية", "seen"), "radio": ("مسموعة", "heard"), "print": ("مقروءة", "read")}
_ERAS: Final = {"gregorian": (" م", ""), "umm-al-qura": (" هـ", " AH")}
COUNTS: Final = {
    "registered": "مسجّلة",
    "cancelled": "ملغاة",
    "live": "تعمل",
    "suspended": "موقوفة",
    "retired": "منتهية",
    "revoked": "مسحوبة",
}

_NOT_JUDGED: Final = (
    "التناقضات وأرقام البث والشراكات غير مقيّمة هنا، لأنها تتبع ترتيب السجل لا تاريخ الوقوع. "
    "لعرضها كما كانت في وقت سابق استخدم ‎--as-of-recorded‎.",
    "Anomalies, airings and partnerships are not judged here: they follow the order of the log, not the dates of "
    "events. To see them as they were at a time, use --as-of-recorded.",
)

Name = tuple[str, str]


def bar(done: int, target: int) -> Text:
    """A bar of `done` against `target`; full at the target and above, empty without one."""
    filled = min(BAR_CELLS, BAR_CELLS * done // target) if target > 0 else 0
    return Text("█" * filled, style="green") + Text("░" * (BAR_CELLS - filled), style="dim")


def plan_view(plan: dict[str, Any], name: dict[str, Any] | None) -> RenderableType:
    """Everything in `yesser plan --json`."""
    parts: list[RenderableType] = [_heading(plan, name), _progress(plan)]
    if plan["partnerships"]:
        parts.append(_partnerships(plan["partnerships"]))
    parts.append(Text(_counted(plan), style="dim"))
    if "not_judged" in plan:
        parts.append(Text(localized(*_NOT_JUDGED, "\n"), style="bold yellow"))
    return Group(*parts)


def _counted(plan: dict[str, Any]) -> str:
    refusals, entries = plan["refusals"], plan["log_index"]
    anomalies_ar = anomalies = f"{plan['anomalies']:,}"
    if "anomalies" in plan.get("not_judged", ()):
        anomalies_ar, anomalies = "غير مقيّمة", "not judged"
    return localized(
        f"التناقضات {anomalies_ar}، المرفوضات {refusals:,}، بعد {entries:,} من قيود سجل الأحداث",
        f"Anomalies {anomalies}, refusals {refusals:,}, after {entries:,} entries of the event log",
        "\n",
    )


def _heading(plan: dict[str, Any], name: dict[str, Any] | None) -> Text:
    if name is None:
        return Text(localized("لم تُعتمد خطة بعد", "No plan has been adopted yet"), style="bold")
    dates = f"{name['starts_on']} … {name['ends_on']}"
    return Text(localized(**name["name"]), style="bold") + Text(f"  {plan['plan_id']}, {dates}", style="dim")


def _progress(plan: dict[str, Any]) -> Grid:
    rows: list[tuple[Name, int, int, str]] = []
    infrastructure, applications = plan["infrastructure"], plan["national_applications"]
    rows.append(
        (
            ("مشاريع البنى التحتية", "Infrastructure projects"),
            infrastructure["completed"],
            infrastructure["target"],
            _note(registered=infrastructure["registered"], cancelled=infrastructure["cancelled"]),
        )
    )
    begun, finished = begun_and_completed(applications["projects"])
    registered = len(applications["projects"])
    note = localized(f"بدأ {begun} من {registered} مسجّلة", f"{begun} begun of {registered} registered")
    rows.append((("التطبيقات الوطنية", "National applications"), finished, applications["target"], note))
    for project in applications["projects"]:
        where = f"  {project['project_id']} ({project['agency']})"
        phases = localized(f"مراحل بدأت: {project['started']}", f"phases, {project['started']} started")
        note = localized("أُلغي", "cancelled") if project["cancelled"] else phases
        rows.append(((where, where), project["completed"], project["phases"], note))
    for number, group in plan["services"]["groups"].items():
        counts = {key: group[key] for key in ("registered", "live", "suspended", "retired")}
        rows.append((GROUP_NAMES[number], group["launched"], group["target"], _note(**counts)))
    for row in plan["training"]:
        arabic, english = TRACK_NAMES[row["track"]]
        era_ar, era = _ERAS[row["calendar"]]
        track = f"تدريب {row['year']}{era_ar}، {arabic}", f"Training {row['year']}{era}, {english}"
        rows.append((track, row["net"], row["quota"], _note(revoked=row["revoked"])))
    return _lines(rows + _awareness(plan["awareness"]))


def _awareness(awareness: dict[str, Any]) -> list[tuple[Name, int, int, str]]:
    launched, general, reach = awareness["launched_services"], awareness["general_campaigns"], awareness["reach"]
    rows = []
    for channel, aired in awareness["aired"].items():
        arabic, english = CHANNEL_NAMES[channel]
        rows.append(((f"التوعية الخاصة، {arabic}", f"Awareness, {english} ({channel})"), aired, launched, ""))
    note = localized(f"حملات عامة: {general:,}، الوصول: {reach:,}", f"{general:,} general campaigns, reach {reach:,}")
    rows.append((("على القنوات الثلاث", "On all three channels"), awareness["on_all_three"], launched, note))
    return rows


def _lines(rows: list[tuple[Name, int, int, str]]) -> Grid:
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
        names = [name[1], "" if name[0] == name[1] else name[0].rpartition("، ")[2]] if both else [localized(*name)]
        cells.append([names[0], bar(done, target), f"{done:,} / {target:,}", *names[1:], Text(note, style="dim")])
    return Grid("", columns, cells)


def _note(**counts: int) -> str:
    return localized(
        "، ".join(f"{COUNTS[name]}: {count:,}" for name, count in counts.items() if count),
        ", ".join(f"{count:,} {name}" for name, count in counts.items() if count),
    )


def _partnerships(rows: list[dict[str, Any]]) -> RenderableType:
    columns = [
        Column("الشراكة", "Partnership"),
        Column("الجهة", "Agency", drop=3),
        Column("المتوقع", "Expected", drop=4, right=True),
        Column("الصافي", "Net", drop=1, right=True),
        Column("للشريك", "Partner", right=True),
        Column("للخزينة", "Treasury", right=True),
        Column("المفتوحة", "Open", drop=2),
    ]
    title = localized("الشراكة مع القطاع الخاص بالريال", "Partnerships, in riyals")
    cells = [
        [
            row["partnership_id"],
            row["agency"],
            *(riyals_text(row[f"{kind}_halalas"]) for kind in ("expected", "net", "partner", "treasury")),
            row["open_period"] or localized("مقفلة", "closed", "\n"),
        ]
        for row in rows[:PARTNERSHIPS_SHOWN_MAX]
    ]
    more = len(rows) - PARTNERSHIPS_SHOWN_MAX
    table = Grid(title, columns, cells)
    if more <= 0:
        return table
    return Group(table, Text(localized(f"وغيرها {more:,}: انظر ‎--json‎", f"and {more:,} more: see --json"), style="dim"))


def anomalies_view(rows: list[dict[str, Any]]) -> RenderableType:
    """The anomalies as a table, the last ones last."""
    if not rows:
        return Text(localized("لا تناقضات", "No anomalies"))
    columns = [
        Column("رقم القيد", "Log entry", right=True),
        Column("وُجد عند", "Found at", drop=4, right=True),
        Column("القاعدة", "Rule"),
        Column("النوع", "Event", drop=2),
        Column("الموضوع", "Subject", drop=1),
        Column("الجهة", "Agency", drop=3),
    ]
    cells = [
        [
            str(row["index"]),
            str(row["found_index"]),
            row["rule"],
            short_type(row["type"]),
            row["subject"],
            row["agency"],
        ]
        for row in rows
    ]
    return Grid(_anomalies_title(rows), columns, cells)


def _anomalies_title(rows: list[dict[str, Any]]) -> str:
    number = f"{len(rows):,}"
    if "judged" in rows[0]:
        return localized(
            f"لا تتفق مع ما وقع حتى هذا التاريخ: {number}. لا يعني ذلك أنها خطأ، "
            "لأنها اختيرت بتاريخ الوقوع لا بترتيب السجل.",
            f"{number} that do not fit what had occurred by this date. This does not make them wrong: "
            "they were chosen by the dates of events, not by the order of the log.",
        )
    return localized(f"التناقضات: {number}", f"{number} anomalies")
