"""The demo's report in Arabic, English or both.

In both, a line begins with Latin text and figures and ends with one Arabic run. So columns stay aligned in terminals
with and without support for bidirectional text, and copied text is in logical order.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, Final

from events.values.money import riyals_text
from events.values.plan_figures import COUNTED, begun_and_completed
from infra.command_line.language import language

_GROUPS_AR: Final = {"1": "المجموعة الأولى", "2": "المجموعة الثانية", "3": "المجموعة الثالثة"}
_TRACKS_AR: Final = {"usage": "الاستخدام", "specialist": "المتخصصون", "leadership": "القيادات ومديرو المشاريع"}
_CHANNELS: Final = (("tv", "seen", "مرئية"), ("radio", "heard", "مسموعة"), ("print", "read", "مقروءة"))
_LABEL_WIDTH: Final = 30
_FIGURE_WIDTH: Final = 20


def shown(document: dict[str, Any]) -> list[str]:
    """The lines for a document of `yesser demo --json`."""
    return [
        *_plan(document["plan"]),
        *_campaigns(document["campaigns"], document["plan"]["awareness"]),
        *_money(document["plan"]["partnerships"], document["ledger"]["accounts"]),
        *_verification(document["verification"]),
        _line("", f"{document['seconds']:.1f} s", "الزمن"),
        *(_console(document["console"]) if "console" in document else ()),
    ]


def _console(console: dict[str, Any]) -> Iterator[str]:
    yield from _title(f"The console: {console['address']}", f"الواجهة: {console['address']}")
    for account in console["accounts"]:
        yield _line(f"  {account['username']}", account["password"], "حساب", name=account["username"])
    yield _line("", "yesser down", "لإيقاف النظام")


def _line(label: str, figure: str | tuple[str, str], arabic: str, *, name: str = "") -> str:
    """A figure in words is a pair, Arabic and English. `name`, an id or a year, is shown in every language."""
    chosen = language()
    words = figure if isinstance(figure, str) else figure[0] if chosen == "ar" else figure[1]
    if chosen == "ar":
        return f"  {words:<{_FIGURE_WIDTH}} {arabic} {name}".rstrip()
    return f"  {label:<{_LABEL_WIDTH}} {words:<{_FIGURE_WIDTH}} {arabic if chosen == 'both' else ''}".rstrip()


def _title(english: str, arabic: str) -> list[str]:
    chosen = language()
    both = f"{english:<{_LABEL_WIDTH + _FIGURE_WIDTH + 3}} {arabic}"
    return ["", both if chosen == "both" else arabic if chosen == "ar" else english]


def _plan(plan: dict[str, Any]) -> Iterator[str]:
    yield from _title("The five-year plan at a glance", "الخطة الخمسية")
    infrastructure = plan["infrastructure"]
    done, target = infrastructure["completed"], infrastructure["target"]
    yield _line(
        "Infrastructure projects", (f"اكتمل {done} من {target}", f"{done} of {target} done"), "مشاريع البنى التحتية"
    )
    applications = plan["national_applications"]
    projects, target = applications["projects"], applications["target"]
    begun, done = begun_and_completed(map(itemgetter(*COUNTED), projects))
    figure = f"بدأ {begun}، اكتمل {done}، من {target}", f"{begun} begun, {done} of {target} done"
    yield _line("National applications", figure, "التطبيقات الوطنية")
    for project in projects:
        started, done = project["started"], project["completed"]
        phases = f"بدأ {started}، اكتمل {done}", f"{started} begun, {done} done"
        name = project["project_id"]
        yield _line(f"  {name}", phases, "مراحل", name=name)
    planned = plan["services"]["target"]
    yield _line("E-services", (f"المخطط {planned}", f"{planned} planned"), "الخدمات الإلكترونية")
    for group, row in plan["services"]["groups"].items():
        launched, registered = row["launched"], row["registered"]
        services = f"أُطلق {launched} من {registered}", f"{launched} of {registered} launched"
        yield _line(f"  group {group}", services, _GROUPS_AR.get(group, ""))
    yield _line("Training of state employees", "", "التدريب")
    for row in plan["training"]:
        net, quota = row["net"], row["quota"]
        certified = f"شهادات {net} من {quota}", f"{net} of {quota} certified"
        year = str(row["year"])
        yield _line(f"  {year}, {row['track']}", certified, _TRACKS_AR[row["track"]], name=year)
    yield _line("Anomalies, refusals", f"{plan['anomalies']}, {plan['refusals']}", "التناقضات والمرفوضات")


def _campaigns(campaigns: list[dict[str, Any]], awareness: dict[str, Any]) -> Iterator[str]:
    yield from _title("Awareness campaigns", "حملات التوعية")
    kinds = [row["kind"] for row in campaigns]
    general, specific = kinds.count("general"), kinds.count("specific")
    yield _line("General", (f"حملات {general}", f"{general} campaigns"), "التوعية العامة")
    yield _line("Specific, of launched services", (f"حملات {specific}", f"{specific} campaigns"), "التوعية الخاصة")
    for channel, english, arabic in _CHANNELS:
        aired = awareness["aired"][channel]
        yield _line(f"  {english}", (f"خدمات {aired}", f"{aired} services"), arabic)
    everywhere = awareness["on_all_three"]
    yield _line("On all three media", (f"خدمات {everywhere}", f"{everywhere} services"), "على القنوات الثلاث")


def _money(partnerships: list[dict[str, Any]], accounts: list[dict[str, Any]]) -> Iterator[str]:
    yield from _title("Sharing the expected revenue (SAR)", "المشاركة في الدخل المتوقع")
    balances = {row["account"]: row["balance_halalas"] for row in accounts}
    for row in partnerships:
        open_ = row["open_period"]
        period = f"المفتوحة: {open_ or 'لا شيء'}", f"open: {open_ or 'none'}"
        contract = f"{row['partnership_id']}, {row['agency']}"
        yield _line(contract, period, "عقد شراكة", name=contract)
        yield _line("  collected, net", _sar(row["net_halalas"]), "صافي المحصّل")
        yield _line("  partner's share", _sar(row["partner_halalas"]), "حصة الشريك")
        yield _line("  treasury's share", _sar(row["treasury_halalas"]), "حصة الخزينة")
        paid, payable = (-balances.get(f"{kind}:{row['partnership_id']}", 0) for kind in ("cash", "partner-payable"))
        yield _line("  paid to the partner", _sar(paid), "المصروف للشريك")
        owed = (
            ("owed to the partner", "المستحق للشريك") if payable >= 0 else ("owed by the partner", "المستحق على الشريك")
        )
        yield _line(f"  {owed[0]}", _sar(abs(payable)), owed[1])
    yield _line("Guarantee: topped up", _sar(_sum(accounts, "debits_halalas")), "تكملة الضمان")
    yield _line("Guarantee: recovered", _sar(_sum(accounts, "credits_halalas")), "المسترد من التكملة")


def _sum(accounts: list[dict[str, Any]], side: str) -> int:
    """One side of the guarantee accounts: top-ups or recoveries."""
    total: int = sum(row[side] for row in accounts if row["account"].startswith("guarantee-expense:"))
    return total


def _sar(halalas: int) -> str:
    return riyals_text(halalas).rjust(18)


def _verification(proofs: dict[str, Any]) -> Iterator[str]:
    yield from _title("Verification", "التحقق")
    tree, rebuild, ledger = proofs["tree"], proofs["rebuild"], proofs["ledger"]
    size = tree["size"]
    entries = f"{_ok(tree['ok'])}، قيود {size:,}", f"{_ok(tree['ok'])}, {size:,} entries"
    yield _line("Tree of all entries, signed", entries, "شجرة السجل موقعة")
    yield f"  root {tree['root']}"
    models = rebuild["read_models"]
    rows = sum(row["rows"] for row in models)
    checked = f"{_ok(rebuild['ok'])}، صفوف {rows:,}", f"{_ok(rebuild['ok'])}, {rows:,} rows"
    yield _line(f"Rebuilt = live, {len(models)} models", checked, "إعادة البناء مطابقة")
    yield _line("Ledger sums to zero", f"{_ok(ledger['ok'])}, {_sar(ledger['sum_halalas']).strip()}", "الدفتر متوازن")


def _ok(is_ok: bool) -> str:
    if language() == "ar":
        return "سليم" if is_ok else "فشل"
    return "ok" if is_ok else "FAILED"
