"""The status as a table within 80 columns."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import UNSET
from rich.console import Console
from rich.text import Text

from infra.command_line.display import Cell, Column, Grid, time_text
from infra.command_line.language import language, localized
from infra.embedded.status import LeasedProcess, OtherService, ProcessStatus, ServiceStatus, StackStatus
from infra.log.older_copy import is_older_copy

_COLOURS: Final = {
    "ready": "green",
    "given": "green",
    "active": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "unready": "yellow",
}
_STATES_AR: Final = {
    "ready": "جاهز",
    "given": "خارجي",
    "active": "يعمل",
    "starting": "يبدأ",
    "restarting": "يعاد تشغيله",
    "unready": "غير جاهز",
    "unreachable": "لا يجيب",
    "absent": "غير موجود",
    "stopped": "متوقف",
    "failed": "فشل",
    "orphan": "بلا مشرف",
}
_COLUMNS: Final = (
    Column("الجزء", "part"),
    Column("الحالة", "state"),
    Column("التأخر", "lag", right=True),
    Column("العملية", "pid", drop=2, right=True),
    Column("المنفذ", "port", right=True),
    Column("إعادات", "restarts", drop=3, right=True),
    Column("السجل التشغيلي", "log", drop=1),
)


def print_status(status: StackStatus, console: Console | None = None) -> None:
    """Print one line per part, then notes."""
    out = console or Console()

    def line(ar: str, en: str) -> None:
        out.print(localized(ar, en, "\n"), markup=False, highlight=False, soft_wrap=True)

    line(f"أحداث يسر في {status.home}", f"Yesser Events in {status.home}")
    out.print(_table(status), crop=False)
    for names, reason in _halts(status):
        line(f"توقف {'، '.join(names)}: {reason}.", f"{', '.join(names)} halted: {reason}.")
    for process in status.processes:
        name, owner = process.name, process.owner
        if process.role == "standby" and owner:
            line(f"{name} احتياطي، ويعمل {owner}.", f"{name} stands by: {owner} is active.")
        elif status.elsewhere and owner:
            line(f"{name} يعمل على {owner}.", f"{name} is active on {owner}.")
        for consumer, done in (process.rebuilding or {}).items():
            entries, of = f"{done['entries']:,}", f"{done['of']:,}"
            line(
                f"يعيد {consumer} بناء صفوفه من السجل: {entries} من القيود وعددها {of}.",
                f"{consumer} rebuilds its rows from the log: {entries} of {of} entries.",
            )
        for consumer, session in (process.held_by or {}).items():
            line(
                f"ينتظر {consumer} جلسة في قاعدة البيانات: {session}.",
                f"{consumer} waits for a session of the database: {session}.",
            )
        if held := process.decisions_held:
            line(
                f"قرارات تنتظر شخصًا بعد الاستعادة: {held:,} (`yesser decisions list`).",
                f"Decisions that wait for a person after the recovery: {held:,} (`yesser decisions list`).",
            )
    for name, reason in status.alarms.items():
        line(f"توقف {name}: {reason}.", f"{name} halted: {reason}.")
    for topic, pause in status.paused.items():
        until = pause["until"]
        line(f"قراءة {topic} بطيئة حتى {until}: {pause['ar']}.", f"{topic} is paused until {until}: {pause['en']}.")
    if (rule := status.second_person) is not None:
        count = rule.administrators
        counted = "one administrator" if count == 1 else f"{count} administrators"
        if rule.in_force:
            line(f"الشخص الثاني: لازم (مديرو النظام: {count}).", f"Second person: in force ({counted}).")
        else:
            line(f"الشخص الثاني: غير لازم (مديرو النظام: {count}).", f"Second person: not in force ({counted}).")
        for row in rule.alone:
            what, at = row.command.partition(" ")[2], time_text(row.at)
            line(
                f"نفّذ شخص واحد ({row.operator}) في {at}: {what}.",
                f"One person ({row.operator}) did on {at} what needs two: {what}.",
            )
    if status.elsewhere:
        line(
            "لم يُشغَّل نظام هنا: الحالة من قاعدة البيانات. وللبوابة والواجهة انظر `docker compose logs` و`/readyz`.",
            "No stack was started here: this is what the database knows. "
            "For the gateway and the console see `docker compose logs` and `/readyz`.",
        )
    elif not status.running:
        line(
            "النظام لا يعمل: شغّله بـ `yesser up --detach`.", "The stack is not running: `yesser up --detach` starts it."
        )
    elif not status.ready:
        line(
            "لم يجهز كل شيء: يعرض `yesser logs PART` سجلات الجزء.",
            "Not all is ready: `yesser logs PART` shows the logs of a part.",
        )


def _halts(status: StackStatus) -> list[tuple[list[str], str]]:
    """The processes that halted, by reason. An older copy of the database halts several, and has one remedy."""
    halts: dict[str, tuple[list[str], str]] = {}
    for process in status.processes:
        if reason := process.halted:
            halts.setdefault("" if is_older_copy(reason) else reason, ([], reason))[0].append(process.name)
    return list(halts.values())


def _table(status: StackStatus) -> Grid:
    """A process that serves no clients shows where it serves its health."""
    rows = [_row(name, part, part.port, status.home) for name, part in status.services.items()]
    rows += [_row(p.name, p, p.port or p.health_port, status.home) for p in status.processes]
    return Grid("", _COLUMNS, rows, gap=1)


def _row(
    name: str, part: ServiceStatus | OtherService | ProcessStatus | LeasedProcess, port: int | None, home: str
) -> list[Cell]:
    word = _STATES_AR.get(part.state, part.state) if language() == "ar" else part.state
    lag = None if part.lag is UNSET else part.lag
    lag_text, *numbers = ("" if number is None else str(number) for number in (lag, part.pid, port, part.restarts))
    log = "" if part.log is None else str(Path(part.log).relative_to(home))  # the home is printed above
    return [name, Text(word, style=_COLOURS.get(part.state, "red")), lag_text, *numbers, log]
