"""The status as a table within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import UNSET
from rich.console import Console
from rich.text import Text

from events.values.bilingual import Bilingual, joined
from infra.command_line.display import Cell, Column, Grid, time_text
from infra.command_line.language import language, localized
from infra.embedded.status import LeasedProcess, OtherService, ProcessStatus, SecondPerson, ServiceStatus, StackStatus
from infra.errors import is_older_copy

_COLOURS: Final = {
    "ready": "green",
    "given": "green",
    "active": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "unready": "yellow",
}
STATES_AR: Final = {
    "ready": "جاهز",
    "given": "خارجي",
    "active": "يعمل",
    "starting": "يبدأ",
    "restarting": "يعاد تشغيله",
    "unready": "غير جاهز",
    "unreachable": "لا يجيب",
    "silent": "لا يجيب",
    "absent": "غير موجود",
    "stopped": "متوقف",
    "halted": "متوقف",
    "ended": "انتهى",
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
    _print(out, Bilingual("أحداث يسر في {}", "Yesser Events in {}").format(status.home))
    out.print(_table(status), crop=False)
    for note in _notes(status):
        _print(out, note)


def _print(console: Console, sentence: Bilingual) -> None:
    console.print(localized(sentence, "\n"), markup=False, highlight=False, soft_wrap=True)


def _notes(status: StackStatus) -> Iterator[Bilingual]:
    halted = Bilingual("توقف {}: {}.", "{} halted: {}.")
    for names, reason in _halts(status):
        yield halted.format(joined(names), reason)
    for process in status.processes:
        yield from _notes_of(process, elsewhere=bool(status.elsewhere))
    for name, reason in status.alarms.items():
        yield halted.format(name, reason)
    for topic, pause in status.paused.items():
        paused = Bilingual("قراءة {} بطيئة حتى {}: {}.", "{} is paused until {}: {}.")
        yield paused.format(topic, pause["until"], Bilingual(pause["ar"], pause["en"]))
    if status.second_person is not None:
        yield from _second_person(status.second_person)
    if status.elsewhere:
        yield Bilingual(
            "لم يُشغَّل نظام هنا: الحالة من قاعدة البيانات. وللبوابة والواجهة انظر سجلاتهما و`/readyz`.",
            "No stack was started here: this is what the database knows. "
            "For the gateway and the console see their logs and `/readyz`.",
        )
    elif not status.running:
        yield Bilingual(
            "النظام لا يعمل: شغّله بـ `yesser up --detach`.", "The stack is not running: `yesser up --detach` starts it."
        )
    elif not status.ready:
        yield Bilingual(
            "لم يجهز كل شيء: يعرض `yesser logs PART` سجلات الجزء.",
            "Not all is ready: `yesser logs PART` shows the logs of a part.",
        )


def _notes_of(process: ProcessStatus | LeasedProcess, *, elsewhere: bool) -> Iterator[Bilingual]:
    name, owner = process.name, process.owner
    if process.role == "standby" and owner:
        yield Bilingual("{} احتياطي، ويعمل {}.", "{} stands by: {} is active.").format(name, owner)
    elif elsewhere and owner:
        yield Bilingual("{} يعمل على {}.", "{} is active on {}.").format(name, owner)
    for consumer, done in (process.rebuilding or {}).items():
        yield Bilingual(
            "يعيد {} بناء صفوفه من السجل: {:,} من القيود وعددها {:,}.",
            "{} rebuilds its rows from the log: {:,} of {:,} entries.",
        ).format(consumer, done["entries"], done["of"])
    for consumer, session in (process.held_by or {}).items():
        waiting = Bilingual("ينتظر {} جلسة في قاعدة البيانات: {}.", "{} waits for a session of the database: {}.")
        yield waiting.format(consumer, session)
    if held := process.decisions_held:
        yield Bilingual(
            "قرارات تنتظر شخصًا بعد الاستعادة: {:,} (`yesser decisions list`).",
            "Decisions that wait for a person after the recovery: {:,} (`yesser decisions list`).",
        ).format(held)


def _second_person(rule: SecondPerson) -> Iterator[Bilingual]:
    count = rule.administrators
    counted = "one administrator" if count == 1 else f"{count} administrators"
    required = Bilingual("لازم", "in force") if rule.in_force else Bilingual("غير لازم", "not in force")
    sentence = Bilingual("الشخص الثاني: {} (مديرو النظام: {}).", "Second person: {} ({}).")
    yield sentence.format(required, Bilingual(str(count), counted))
    for row in rule.alone:
        sentence = Bilingual("نفّذ شخص واحد ({}) في {}: {}.", "One person ({}) did on {} what needs two: {}.")
        yield sentence.format(row.operator, time_text(row.at), row.command.partition(" ")[2])


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
    return Grid(None, _COLUMNS, rows, gap=1)


def _row(
    name: str, part: ServiceStatus | OtherService | ProcessStatus | LeasedProcess, port: int | None, home: str
) -> list[Cell]:
    word = STATES_AR.get(part.state, part.state) if language() == "ar" else part.state
    lag = None if part.lag is UNSET else part.lag
    lag_text, *numbers = ("" if number is None else str(number) for number in (lag, part.pid, port, part.restarts))
    log = "" if part.log is None else str(Path(part.log).relative_to(home))  # the home is printed above
    return [name, Text(word, style=_COLOURS.get(part.state, "red")), lag_text, *numbers, log]
