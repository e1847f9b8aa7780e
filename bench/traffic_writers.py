"""How agencies' systems write events: the data of every type that an agency may send, and three writers of JSON.

`Writer.templates` are filled with `%`. In `DATA` a string `"%(name)s"` stays a string, and `"@name"` is replaced by
JSON as it is: a number, or one of the writer's own texts and lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.oracle.calendars import periods_between
from tests.oracle.log import full_type

LAST_DAY = "2009-12-31"
YEARS = range(2005, 2010)
CALENDARS = (("gregorian", "month"), ("umm-al-qura", "month"), ("gregorian", "quarter"), ("umm-al-qura", "quarter"))
TERMS_VARIANTS = 3
PHASES_MAX, PARTNERS_MAX = 8, 6
TEXTS = (
    ("تجديد الرخص إلكترونياً عبر البوابة", "Licence renewal through the portal"),
    ("مشاريع البنى التحية للتعاملات الإلكترونية الحكومية", "Infrastructure of the e-government programme"),
    ("ورشة المشاركة مع القطاع الخاص في الدخل المتوقع", "Workshop on sharing the expected revenue"),
    ("قرار مجلس الوزراء رقم 110 وتاريخ 5/4/1425هـ", "Council of Ministers Resolution 110 of 5/4/1425H"),
    ("مبادرة الحاسب المنزلي", "Home Computer Initiative"),
    ("ردم الفجوة الرقمية ونشر الثقافة التقنية", "Bridging the digital divide"),
    ("تأهيل القيادات ومديري المشاريع في الجهات", "Training for leaders and project managers"),
    ("توقفت الخدمة «مؤقتاً» لأعمال الصيانة;\nوتعود مساء اليوم", 'Stopped "for maintenance" {until 18:00},{then on}'),
    ("خطأ في المبلغ المحصل: صُحِّح من الجهة", "Wrong amount; corrected by the agency"),
    ("المرحلة الأولى: الربط مع الجهات المشاركة", "Phase: connecting the agencies that take part"),
    ("شركة الحلول التقنية المحدودة", "Technical Solutions Company Ltd"),
    ("الرياض، مركز الملك فهد الثقافي، القاعة 3", "Riyadh, King Fahd Cultural Centre, hall 3"),
)
TEXT = "@text"
NAMED = {"name": TEXT}
ON, BECAUSE = {"on": "%(day)s"}, {"on": "%(day)s", "reason": TEXT}
MOVED = {"to": "%(to)s", **BECAUSE}
PROJECT, SERVICE = {"project_id": "%(thing)s"}, {"service_id": "%(thing)s"}
PARTNERSHIP, CAMPAIGN = {"partnership_id": "%(thing)s"}, {"campaign_id": "%(thing)s"}
WORKSHOP = {"workshop_id": "%(thing)s", "topic": TEXT, **ON, "place": TEXT, "partners": "@partners"}
CERTIFICATE = {"certificate_id": "%(certificate)s", "trainee": "%(thing)s"}
REVENUE = {**PARTNERSHIP, "amount_halalas": "@amount"}
DATA: dict[str, dict[str, Any]] = {
    "plan.adopted": {
        "plan_id": "%(thing)s", **NAMED, "starts_on": "2005-01-01", "ends_on": LAST_DAY, "targets": "@targets"
    },
    "plan.amended": {"plan_id": "%(thing)s", "targets": "@targets", "reason": TEXT},
    "project.registered": {
        **PROJECT, "plan_id": "FIVE-YEAR", "kind": "%(kind)s", **NAMED, "phases": "@phases"
    },
    "project.phase-started": {**PROJECT, "phase": "@phase", **ON},
    "project.phase-completed": {**PROJECT, "phase": "@phase", **ON},
    "project.phase-reopened": {**PROJECT, "phase": "@phase", **BECAUSE},
    "project.cancelled": {**PROJECT, **BECAUSE},
    "project.reassigned": {**PROJECT, **MOVED},
    "service.registered": {**SERVICE, "plan_id": "FIVE-YEAR", "group": "@group", **NAMED},
    "service.launched": {
        **SERVICE, **ON, "channels": "@channels", "url": "https://services.example/%(thing)s?lang=ar"
    },
    "service.suspended": {**SERVICE, **BECAUSE},
    "service.retired": {**SERVICE, **BECAUSE},
    "service.resumed": {**SERVICE, **ON},
    "service.reassigned": {**SERVICE, **MOVED},
    "training.quota-set": {
        "calendar": "%(calendar)s", "year": "@year", "track": "%(track)s", "seats": "@seats"
    },
    "training.certified": {**CERTIFICATE, "track": "%(track)s", **ON, "employer": "%(agency)s"},
    "training.revoked": {**CERTIFICATE, **BECAUSE},
    "partnership.workshop-announced": WORKSHOP,
    "partnership.workshop-held": WORKSHOP,
    "partnership.framework-published": {
        "framework_id": "%(thing)s", "title": TEXT, "legal_basis": TEXT, **ON
    },
    "partnership.signed": {
        **PARTNERSHIP, "partner": {"partner_id": "CO-%(thing)s", **NAMED},
        "services": [f"%(thing)s-S{number}" for number in range(5)],
        "legal_basis": TEXT, "signed_on": "%(day)s", "terms": "@terms",
    },
    "partnership.amended": {
        **PARTNERSHIP, "effective_from": "%(period)s", "terms": "@terms", "reason": TEXT
    },
    "partnership.terminated": {**PARTNERSHIP, **BECAUSE},
    "partnership.reassigned": {**PARTNERSHIP, **MOVED},
    "revenue.collected": {
        "receipt_id": "%(receipt)s", **REVENUE, "service_id": "%(thing)s-S%(service)s", "collected_on": "%(date)s",
        "receipts": "@receipts",
    },
    "revenue.reversed": {
        "reversal_id": "%(reversal)s", **REVENUE, "reverses": "%(receipt)s", "reversed_on": "%(day)s", "reason": TEXT
    },
    "revenue.period-closed": {**PARTNERSHIP, "period": "%(period)s"},
    "revenue.paid-out": {"payout_id": "%(payout)s", **REVENUE, "paid_on": "%(day)s"},
    "awareness.initiative-announced": {"initiative_id": "%(thing)s", **NAMED, "aim": TEXT, **ON},
    "awareness.campaign-acknowledged": {**CAMPAIGN, "by": "media-desk", **ON},
    "awareness.campaign-aired": {
        **CAMPAIGN, "airing_id": "%(airing)s", "channel": "radio", "outlet": TEXT, **ON, "reach": "@reach"
    },
    "awareness.campaign-airing-corrected": {
        **CAMPAIGN, "airing_id": "%(airing)s", "reach": "@reach", **ON, "reason": TEXT
    },
    "awareness.campaign-completed": {**CAMPAIGN, **ON},
}  # fmt: skip
SUBJECTS = {
    "plan": "plan", "project": "project", "service": "service", "revenue": "partnership", "awareness": "campaign",
    "partnership": "partnership", "training": "trainee", "training.quota-set": "quota",
    "partnership.workshop-announced": "workshop", "partnership.workshop-held": "workshop",
    "partnership.framework-published": "framework", "awareness.initiative-announced": "initiative",
}  # fmt: skip
SLOT = re.compile(r'"@([a-z]+)"')
Dumps = Callable[[object], str]


@dataclass(frozen=True)
class Writer:
    """One system's JSON: a template for each type, and texts and lists as it writes them."""

    templates: dict[str, str]
    texts: list[str]
    phases: list[str]
    partners: list[str]
    channels: list[str]
    targets: list[str]
    terms: dict[tuple[int, int, int], str]
    times: list[str]


def make_writers() -> tuple[Writer, Writer, Writer]:
    """Compact; as Python's `json.dumps` writes by default; members by name, as a Java or JavaScript system may."""
    return (
        _writer(partial(json.dumps, ensure_ascii=False, separators=(",", ":")), "T%02d:%02d:%02d+03:00"),
        _writer(json.dumps, "T%02d:%02d:%02d.000417+00:00"),
        _writer(partial(json.dumps, ensure_ascii=False, separators=(",", ":"), sort_keys=True), "T%02d:%02d:%02d.120Z"),
    )


def _writer(dumps: Dumps, time: str) -> Writer:
    pairs = [{"ar": arabic, "en": english} for arabic, english in TEXTS]
    channels = (["web"], ["web", "mobile"], ["web", "mobile", "kiosk", "phone", "counter"], ["counter", "phone"])
    return Writer(
        templates={name: _template(name, dumps) for name in DATA},
        texts=[dumps(pair) for pair in pairs],
        phases=[
            dumps([{"phase": n + 1, "name": pairs[n]} for n in range(count)]) for count in range(1, PHASES_MAX + 1)
        ],
        partners=[dumps(pairs[:count]) for count in range(1, PARTNERS_MAX + 1)],
        channels=[dumps(chosen) for chosen in channels],
        targets=[
            dumps({"infrastructure_projects": 6, "national_applications": 3, "services": dict.fromkeys("123", size)})
            for size in (50, 60, 70)
        ],
        terms={key: dumps(terms) for key, terms in _all_terms()},
        times=[time % (6 + n % 12, n * 7 % 60, n * 13 % 60) for n in range(1009)],
    )


def _template(name: str, dumps: Dumps) -> str:
    subject = SUBJECTS.get(name) or SUBJECTS[name.partition(".")[0]]
    event = {
        "specversion": "1.0",
        "id": "%(id)s",
        "source": "urn:yesser:agency:%(agency)s",
        "type": full_type(name),
        "subject": subject + "/%(thing)s",
        "time": "%(time)s",
        "datacontenttype": "application/json",
        "data": DATA[name],
    }
    return SLOT.sub(r"%(\1)s", dumps(event))


def _all_terms() -> Iterator[tuple[tuple[int, int, int], dict[str, Any]]]:
    """Terms by first year, calendar and variant; variants differ only in what an amendment may change."""
    for year in YEARS:
        for number, (calendar, period) in enumerate(CALENDARS):
            starts_on = f"{year}-01-01"
            labels = periods_between(starts_on, LAST_DAY, calendar, period)
            for variant in range(TERMS_VARIANTS):
                limits = [10_000_000_000 * (n + 1) for n in range(1 + 3 * variant)]
                shares = [7_000 - 500 * n for n in range(len(limits) + 1)]
                guarantee = {"partner_floor_bp_of_expected": 4_000, "recoverable": number % 2 == 0}
                expected = [{"period": label, "amount_halalas": 40_000_000 + n} for n, label in enumerate(labels)]
                yield (year, number, variant), {
                    "starts_on": starts_on, "ends_on": LAST_DAY, "calendar": calendar, "period": period,
                    "tier_basis": ("lifetime", "contract-year")[(year + number) % 2],
                    "bands": [
                        {"up_to_halalas": limit, "partner_bp": share}
                        for limit, share in zip([*limits, None], shares, strict=True)
                    ],
                    "cap": {"amount_halalas": 900_000_000_000, "partner_bp_after": 1_000} if variant == 1 else None,
                    "guarantee": guarantee if variant == 2 else None,
                    "expected": expected if variant == 2 else [],
                }  # fmt: skip
