"""What the demo shows, in Arabic and English.

A line begins with Latin text and figures and ends with its one Arabic run. So a terminal that knows bidirectional
text keeps the figures where they are, one that does not shows every column in its place, and copied text is in logical
order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_GROUPS_AR: Final = {"1": "المجموعة الأولى", "2": "المجموعة الثانية", "3": "المجموعة الثالثة"}
_TRACKS_AR: Final = {"usage": "الاستخدام", "specialist": "المتخصصون", "leadership": "القيادات ومديرو المشاريع"}
_ACCOUNTS_AR: Final = {
    "cash": "النقد المدفوع",
    "collections": "المتحصلات",
    "guarantee-expense": "مصروف الضمان",
    "partner-payable": "المستحق للشريك",
    "treasury-share": "حصة الخزينة",
}
_CHANNELS: Final = (("tv", "seen", "مرئية"), ("radio", "heard", "مسموعة"), ("print", "read", "مقروءة"))
_LABEL_WIDTH: Final = 30
_FIGURE_WIDTH: Final = 20
_HALALAS: Final = 100


def shown(document: dict[str, Any]) -> list[str]:
    """The lines for a document of `yesser demo --json`."""
    return [
        *_plan(document["plan"]),
        *_campaigns(document["campaigns"], document["plan"]["awareness"]),
        *_money(document["plan"]["partnerships"], document["ledger"]["accounts"]),
        *_verification(document["verification"]),
        _line("", f"{document['seconds']:.1f} seconds", ""),
    ]


def _line(label: str, figure: str, arabic: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}} {figure:<{_FIGURE_WIDTH}} {arabic}".rstrip()


def _title(english: str, arabic: str) -> list[str]:
    return ["", f"{english:<{_LABEL_WIDTH + _FIGURE_WIDTH + 3}} {arabic}"]


def _plan(plan: dict[str, Any]) -> Iterator[str]:
    yield from _title("The five-year plan at a glance", "الخطة الخمسية")
    infrastructure = plan["infrastructure"]
    figure = f"{infrastructure['completed']} of {infrastructure['target']} done"
    yield _line("Infrastructure projects", figure, "مشاريع البنى التحية")
    applications = plan["national_applications"]
    yield _line(
        "National applications", f"{len(applications['projects'])} of {applications['target']}", "التطبيقات الوطنية"
    )
    for project in applications["projects"]:
        phases = f"{project['started']} begun, {project['completed']} done"
        yield _line(f"  {project['project_id']}", phases, "المراحل")
    yield _line("E-services", f"{plan['services']['target']} planned", "الخدمات الإلكترونية")
    for group, row in plan["services"]["groups"].items():
        figure = f"{row['launched']} of {row['registered']} launched"
        yield _line(f"  group {group}", figure, _GROUPS_AR.get(group, ""))
    yield _line("Training of state employees", "", "التدريب")
    for row in plan["training"]:
        label = f"  {row['year']}, {row['track']}"
        yield _line(label, f"{row['net']} of {row['quota']} certified", _TRACKS_AR[row["track"]])
    yield _line("Anomalies, refusals", f"{plan['anomalies']}, {plan['refusals']}", "التناقضات والمرفوضات")


def _campaigns(campaigns: list[dict[str, Any]], awareness: dict[str, Any]) -> Iterator[str]:
    yield from _title("Awareness campaigns", "حملات التوعية")
    kinds = [row["kind"] for row in campaigns]
    yield _line("General", f"{kinds.count('general')} campaigns", "التوعية العامة")
    yield _line("Specific, of launched services", f"{kinds.count('specific')} campaigns", "التوعية الخاصة")
    for channel, english, arabic in _CHANNELS:
        yield _line(f"  {english}", f"{awareness['aired'][channel]} services", arabic)
    yield _line("On all three media", f"{awareness['on_all_three']} services", "على القنوات الثلاث")


def _money(partnerships: list[dict[str, Any]], accounts: list[dict[str, Any]]) -> Iterator[str]:
    yield from _title("Sharing the expected revenue (SAR)", "المشاركة في الدخل المتوقع")
    for row in partnerships:
        yield _line(f"{row['partnership_id']}, {row['agency']}", f"open: {row['open_period'] or 'none'}", "عقد شراكة")
        yield _line("  collected, net", _sar(row["net_halalas"]), "صافي المحصل")
        yield _line("  partner", _sar(row["partner_halalas"]), "نصيب الشريك")
        yield _line("  treasury", _sar(row["treasury_halalas"]), "نصيب الخزينة")
    yield _line("Guarantee: topped up", _sar(_sum(accounts, "debits_halalas")), "تكملة الضمان")
    yield _line("Guarantee: recovered", _sar(_sum(accounts, "credits_halalas")), "المسترد من التكملة")
    yield from _title("Balances of accounts (SAR)", "أرصدة الحسابات")
    for row in accounts:
        yield _line(row["account"], _sar(row["balance_halalas"]), _ACCOUNTS_AR[row["account"].partition(":")[0]])


def _sum(accounts: list[dict[str, Any]], side: str) -> int:
    """One side of the guarantee accounts: what was paid on top, or what came back of it."""
    total: int = sum(row[side] for row in accounts if row["account"].startswith("guarantee-expense:"))
    return total


def _sar(halalas: int) -> str:
    """Riyals with two decimals, from whole halalas."""
    sign, whole = "-" if halalas < 0 else "", abs(halalas)
    return f"{sign}{whole // _HALALAS:,}.{whole % _HALALAS:02d}".rjust(18)


def _verification(proofs: dict[str, Any]) -> Iterator[str]:
    yield from _title("Verification", "التحقق")
    tree, rebuild, ledger = proofs["tree"], proofs["rebuild"], proofs["ledger"]
    yield _line("Tree of all entries, signed", f"{_ok(tree['ok'])}, {tree['size']:,} entries", "شجرة السجل موقعة")
    yield f"  root {tree['root']}"
    models = rebuild["read_models"]
    rows = sum(row["rows"] for row in models)
    yield _line(f"Rebuilt = live, {len(models)} models", f"{_ok(rebuild['ok'])}, {rows:,} rows", "إعادة البناء مطابقة")
    yield _line("Ledger sums to zero", f"{_ok(ledger['ok'])}, {_sar(ledger['sum_halalas']).strip()}", "الدفتر متوازن")


def _ok(is_ok: bool) -> str:
    return "ok" if is_ok else "FAILED"
