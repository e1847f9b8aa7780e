"""The plan at a glance for people: Arabic and English side by side, bars against targets."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

BAR_CELLS: Final = 12
PARTNERSHIPS_SHOWN_MAX: Final = 20
GROUP_NAMES: Final = {
    "1": ("Services, first group", "خدمات المجموعة الأولى"),
    "2": ("Services, second group", "خدمات المجموعة الثانية"),
    "3": ("Services, third group", "خدمات المجموعة الثالثة"),
}
TRACK_NAMES: Final = {
    "usage": ("use", "الاستخدام"),
    "specialist": ("specialists", "المتخصصون"),
    "leadership": ("leaders", "القيادات ومديرو المشاريع"),
}
CHANNEL_NAMES: Final = {"tv": ("seen", "مرئية"), "radio": ("heard", "مسموعة"), "print": ("read", "مقروءة")}
ERAS: Final = {"gregorian": "", "umm-al-qura": "H"}
HALALAS_PER_RIYAL: Final = 100


def bar(done: int, target: int) -> Text:
    """A bar of `done` against `target`; full from the target on, empty without one."""
    filled = min(BAR_CELLS, BAR_CELLS * done // target) if target > 0 else 0
    return Text("█" * filled, style="green") + Text("░" * (BAR_CELLS - filled), style="dim")


def riyals(halalas: int) -> str:
    """`1234567` → `12,345.67`: exact, without fractions of floating point."""
    whole, part = divmod(abs(halalas), HALALAS_PER_RIYAL)
    return f"{'-' if halalas < 0 else ''}{whole:,}.{part:02d}"


def plan_view(plan: dict[str, Any], name: dict[str, Any] | None) -> RenderableType:
    """Everything that `yesser plan --json` says."""
    parts: list[RenderableType] = [_heading(plan, name), _progress(plan)]
    if plan["partnerships"]:
        parts.append(_partnerships(plan["partnerships"]))
    parts.append(
        Text(
            f"Anomalies {plan['anomalies']:,} (ما يناقض المعلوم) · refusals {plan['refusals']:,} (المرفوض) · "
            f"after {plan['log_index']:,} entries of the event log (سجل الأحداث)",
            style="dim",
        )
    )
    return Group(*parts)


def _heading(plan: dict[str, Any], name: dict[str, Any] | None) -> Text:
    if name is None:
        return Text("No plan has been adopted yet · لم تُعتمد خطة بعد", style="bold")
    dates = f"{name['starts_on']} … {name['ends_on']}"
    return Text(f"{name['name']['en']} · {name['name']['ar']}", style="bold") + Text(
        f"  {plan['plan_id']}, {dates}", style="dim"
    )


def _progress(plan: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, justify in (("Progress", "left"), ("", "left"), ("done / target", "right"), ("الإنجاز", "right")):
        table.add_column(title, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("")
    infrastructure, applications = plan["infrastructure"], plan["national_applications"]
    _line(
        table,
        ("Infrastructure projects", "مشاريع البنى التحية"),
        infrastructure["completed"],
        infrastructure["target"],
        _note(registered=infrastructure["registered"], cancelled=infrastructure["cancelled"]),
    )
    finished = sum(p["completed"] == p["phases"] for p in applications["projects"])
    _line(
        table,
        ("National applications", "التطبيقات الوطنية"),
        finished,
        applications["target"],
        f"{len(applications['projects'])} registered",
    )
    for project in applications["projects"]:
        phases = (f"  {project['project_id']} ({project['agency']})", "المراحل")
        note = "cancelled" if project["cancelled"] else f"phases, {project['started']} started"
        _line(table, phases, project["completed"], project["phases"], note)
    for number, group in plan["services"]["groups"].items():
        counts = {key: group[key] for key in ("registered", "live", "suspended", "retired")}
        _line(table, GROUP_NAMES[number], group["launched"], group["target"], _note(**counts))
    for row in plan["training"]:
        english, arabic = TRACK_NAMES[row["track"]]
        year = f"{row['year']}{ERAS[row['calendar']]}"
        track = (f"Training {year}, {english}", arabic)
        _line(table, track, row["net"], row["quota"], _note(revoked=row["revoked"]))
    _awareness(table, plan["awareness"])
    return table


def _awareness(table: Table, awareness: dict[str, Any]) -> None:
    launched = awareness["launched_services"]
    for channel, aired in awareness["aired"].items():
        english, arabic = CHANNEL_NAMES[channel]
        _line(table, (f"Awareness, {english} ({channel})", f"التوعية الخاصة {arabic}"), aired, launched, "")
    note = f"{awareness['general_campaigns']:,} general campaigns, reach {awareness['reach']:,}"
    _line(table, ("On all three channels", "في القنوات الثلاث"), awareness["on_all_three"], launched, note)


def _line(table: Table, title: tuple[str, str], done: int, target: int, note: str) -> None:
    """The note gives way where the screen is narrow."""
    remark = Text(note, style="dim", no_wrap=True, overflow="ellipsis")
    table.add_row(title[0], bar(done, target), f"{done:,} / {target:,}", title[1], remark)


def _note(**counts: int) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _partnerships(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Partnerships, in riyals · الشراكة مع القطاع الخاص بالريال", title_justify="left")
    for title in ("Partnership\nالشراكة", "Agency\nالجهة"):
        table.add_column(title)
    for title in ("Expected\nالمتوقع", "Net\nالصافي", "Partner\nالشريك", "Treasury\nالخزينة"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Open\nالمفتوحة")
    for row in rows[:PARTNERSHIPS_SHOWN_MAX]:
        money = (riyals(row[f"{kind}_halalas"]) for kind in ("expected", "net", "partner", "treasury"))
        table.add_row(row["partnership_id"], row["agency"], *money, row["open_period"] or "closed")
    if len(rows) > PARTNERSHIPS_SHOWN_MAX:
        table.caption = f"and {len(rows) - PARTNERSHIPS_SHOWN_MAX:,} more: see --json"
    return table


def anomalies_view(rows: list[dict[str, Any]]) -> RenderableType:
    """The anomalies as a table, the last ones last."""
    if not rows:
        return Text("No anomalies: everything accepted fits what is known · لا يوجد ما يناقض المعلوم")
    table = Table(title=f"{len(rows):,} anomalies · ما يناقض المعلوم", title_justify="left")
    for title in ("Index", "Found at", "Rule", "Event", "Subject", "Agency"):
        table.add_column(title, justify="right" if title in ("Index", "Found at") else "left")
    for row in rows:
        short = row["type"].removeprefix("sa.gov.yesser.")
        table.add_row(str(row["index"]), str(row["found_index"]), row["rule"], short, row["subject"], row["agency"])
    return table
