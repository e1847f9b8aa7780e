"""The demo's report in Arabic, English or both.

In both, a line begins with Latin text and figures and ends with one Arabic run. So columns stay aligned in terminals
with and without support for bidirectional text, and copied text is in logical order.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from shutil import which
from typing import Final

import msgspec
from msgspec import UNSET

from events.values.bilingual import Bilingual, joined
from events.values.fields import Channel
from events.values.money import riyals_text
from events.values.plan_figures import COUNTED, begun_and_completed
from events.values.reading_order import text_of
from infra.command_line.language import language, localized
from producers.programme.documents import (
    Account,
    Awareness,
    Campaign,
    Demo,
    Ledger,
    Partnership,
    Plan,
    SignIns,
    Verification,
)

_GROUPS_AR: Final = {"1": "المجموعة الأولى", "2": "المجموعة الثانية", "3": "المجموعة الثالثة"}
_TRACKS_AR: Final = {"usage": "الاستخدام", "specialist": "المتخصصون", "leadership": "القيادات ومديرو المشاريع"}
_CHANNELS: Final[dict[Channel, tuple[str, str]]] = {
    "tv": ("seen", "مرئية"),
    "radio": ("heard", "مسموعة"),
    "print": ("read", "مقروءة"),
}
AGENCY: Final = "health"
"""Whose campaigns are under way, and whose agency and team have accounts."""
_LABEL_WIDTH: Final = 30
_FIGURE_WIDTH: Final = 20


@dataclass(frozen=True, slots=True)
class Results:
    """The figures that the report shows."""

    plan: Plan
    campaigns: list[Campaign]
    accounts: list[Account]


def results_of(plan: bytes, campaigns: bytes, ledger: bytes) -> Results:
    """From the documents of `yesser plan`, `campaigns list` and `ledger balances`."""
    accounts = msgspec.json.decode(ledger, type=Ledger).accounts
    return Results(msgspec.json.decode(plan, type=Plan), msgspec.json.decode(campaigns, type=list[Campaign]), accounts)


def shown(results: Results, document: Demo) -> list[str]:
    """The lines of the report."""
    return [
        *_plan(results.plan),
        *_campaigns(results.campaigns, results.plan.awareness),
        *_money(results.plan.partnerships, results.accounts),
        *_verification(document.verification),
        _line("", f"{document.seconds:.1f} s", "الزمن"),
        *(() if document.console is UNSET else _console(document.console)),
    ]


def _console(console: SignIns) -> Iterator[str]:
    yield from ("", _line("The console", console.address, "الواجهة"))
    for account in console.accounts:
        yield _line(f"  {account.username}", account.password, "حساب", name=account.username)
    command = "yesser" if which("yesser") else Path(sys.argv[0])
    yield from (_line("  to see what waits", "", "لترى ما ينتظر"), f"    {command} campaigns inbox --agency {AGENCY}")
    yield _line("  to stop", "make down" if "MAKELEVEL" in os.environ else f"{command} down", "لإيقاف النظام")


def _line(label: str, figure: str | Bilingual, arabic: str, *, name: str = "") -> str:
    """`name`, an id or a year, is shown in every language."""
    chosen = language()
    words = figure if isinstance(figure, str) else text_of(figure, "ar" if chosen == "ar" else "en")
    if chosen == "ar":
        return f"  {words:<{_FIGURE_WIDTH}} {arabic} {name}".rstrip()
    return f"  {label:<{_LABEL_WIDTH}} {words:<{_FIGURE_WIDTH}} {arabic if chosen == 'both' else ''}".rstrip()


def _title(text: Bilingual) -> list[str]:
    both = f"{text.en:<{_LABEL_WIDTH + _FIGURE_WIDTH + 3}} {text.ar}"
    return ["", both if language() == "both" else localized(text)]


def _plan(plan: Plan) -> Iterator[str]:
    yield from _title(Bilingual("الخطة الخمسية", "The five-year plan at a glance"))
    done, target = plan.infrastructure.completed, plan.infrastructure.target
    sentence = Bilingual("اكتمل {} من {}", "{} of {} done").format(done, target)
    yield _line("Infrastructure projects", sentence, "مشاريع البنى التحتية")
    projects, target = plan.national_applications.projects, plan.national_applications.target
    begun, done = begun_and_completed(map(attrgetter(*COUNTED), projects))
    figure = Bilingual("بدأ {}، اكتمل {}، من {}", "{} begun, {} of {} done").format(begun, done, target)
    yield _line("National applications", figure, "التطبيقات الوطنية")
    for project in projects:
        started, done, name = project.started, project.completed, project.project_id
        phases = Bilingual("بدأ {}، اكتمل {}", "{} begun, {} done").format(started, done)
        yield _line(f"  {name}", phases, "مراحل", name=name)
    planned = plan.services.target
    yield _line("E-services", Bilingual("المخطط {}", "{} planned").format(planned), "الخدمات الإلكترونية")
    for group, row in plan.services.groups.items():
        services = Bilingual("أُطلق {} من {}", "{} of {} launched").format(row.launched, row.registered)
        yield _line(f"  group {group}", services, _GROUPS_AR.get(group, ""))
    yield _line("Training of state employees", "", "التدريب")
    for course in plan.training:
        certified = Bilingual("شهادات {} من {}", "{} of {} certified").format(course.net, course.quota)
        year = str(course.year)
        yield _line(f"  {year}, {course.track}", certified, _TRACKS_AR[course.track], name=year)
    yield _line("Anomalies, refusals", f"{plan.anomalies}, {plan.refusals}", "التناقضات والمرفوضات")


def _campaigns(campaigns: Sequence[Campaign], awareness: Awareness) -> Iterator[str]:
    yield from _title(Bilingual("حملات التوعية", "Awareness campaigns"))
    kinds = [row.kind for row in campaigns]
    general, specific = kinds.count("general"), kinds.count("specific")
    yield _line("General", Bilingual("حملات {}", "{} campaigns").format(general), "التوعية العامة")
    sentence = Bilingual("حملات {}", "{} campaigns").format(specific)
    yield _line("Specific, of launched services", sentence, "التوعية الخاصة")
    for channel, (english, arabic) in _CHANNELS.items():
        aired = awareness.aired[channel]
        yield _line(f"  {english}", Bilingual("خدمات {}", "{} services").format(aired), arabic)
    everywhere = awareness.on_all_three
    yield _line("On all three media", Bilingual("خدمات {}", "{} services").format(everywhere), "على القنوات الثلاث")


def _money(partnerships: Sequence[Partnership], accounts: Sequence[Account]) -> Iterator[str]:
    yield from _title(Bilingual("المشاركة في الدخل المتوقع", "Sharing the expected revenue (SAR)"))
    balances = {row.account: row.balance_halalas for row in accounts}
    for row in partnerships:
        period = Bilingual("المفتوحة: {}", "open: {}").format(row.open_period or Bilingual("لا شيء", "none"))
        contract = f"{row.partnership_id}, {row.agency}"
        yield _line(contract, period, "عقد شراكة", name=contract)
        yield _line("  collected, net", _sar(row.net_halalas), "صافي المحصّل")
        yield _line("  partner's share", _sar(row.partner_halalas), "حصة الشريك")
        yield _line("  treasury's share", _sar(row.treasury_halalas), "حصة الخزينة")
        paid, accrued = (-balances.get(f"{kind}:{row.partnership_id}", 0) for kind in ("cash", "partner-payable"))
        yield _line("  paid to the partner", _sar(paid), "المصروف للشريك")
        yield _line("  accrued to the partner", _sar(accrued), "المتراكم للشريك")
    guarantee = [row for row in accounts if row.account.startswith("guarantee-expense:")]
    yield _line("Guarantee: topped up", _sar(sum(row.debits_halalas for row in guarantee)), "تكملة الضمان")
    yield _line("Guarantee: recovered", _sar(sum(row.credits_halalas for row in guarantee)), "المسترد من التكملة")


def _sar(halalas: int) -> str:
    return riyals_text(halalas).rjust(18)


def _verification(proofs: Verification) -> Iterator[str]:
    yield from _title(Bilingual("التحقق", "Verification"))
    tree, rebuild, ledger = proofs.tree, proofs.rebuild, proofs.ledger
    entries = Bilingual("{}، قيود {:,}", "{}, {:,} entries").format(_ok(tree.ok), tree.size)
    yield _line("Tree of all entries, signed", entries, "شجرة السجل موقعة")
    yield f"  root {tree.root}"
    rows = sum(row.rows for row in rebuild.read_models)
    checked = Bilingual("{}، صفوف {:,}", "{}, {:,} rows").format(_ok(rebuild.ok), rows)
    yield _line(f"Rebuilt = live, {len(rebuild.read_models)} models", checked, "إعادة البناء مطابقة")
    yield _line("Ledger sums to zero", joined([_ok(ledger.ok), _sar(ledger.sum_halalas).strip()]), "الدفتر متوازن")


def _ok(is_ok: bool) -> Bilingual:
    return Bilingual("سليم", "ok") if is_ok else Bilingual("فشل", "FAILED")
