"""The dashboard of Grafana. `python -m infra.deployment_files` writes `infra/monitoring/dashboard.json` from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from events.values.bilingual import Bilingual
from infra.observability.telemetry import CounterName, HistogramName, series

Unit = Literal["none", "eps", "s", "bytes", "percentunit"]
Query = tuple[str, str]
"""An expression, and the legend of its series."""
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Number(NamedTuple):
    """The newest value. `is_bad`: red from 1 on."""

    title: Bilingual
    expression: str
    is_bad: bool = False


class Chart(NamedTuple):
    """Lines over time."""

    title: Bilingual
    unit: Unit
    queries: tuple[Query, ...]


def _rate(name: CounterName, by: str = "", legend: str = "", *, each: Literal["rate", "increase"] = "rate") -> Query:
    """A counter a second, or in the interval, by labels."""
    legend = legend or " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return f"sum{f' by ({by}) ' if by else ''}({each}({series(name)}[$__rate_interval]))", legend


def _quantile(share: str, name: HistogramName) -> Query:
    buckets = f"sum by (process, le) (rate({series(name)}_bucket[$__rate_interval]))"
    return f"histogram_quantile({share}, {buckets})", "{{process}}"


_LOG_SIZE: Final = f"max({series('log_size')})"
NUMBERS: Final = (
    Number(Bilingual("عمليات غير جاهزة", "Not ready"), f"count({series('ready')} == 0) or vector(0)", is_bad=True),
    Number(Bilingual("موضوعات متوقفة", "Halted topics"), f"max({series('topics_halted')})", is_bad=True),
    Number(Bilingual("موضوعات بطيئة", "Paused topics"), f"max({series('topics_paused')})", is_bad=True),
    Number(Bilingual("قيود السجل", "Entries"), _LOG_SIZE),
    Number(Bilingual("غير موقَّع", "Not signed"), f"{_LOG_SIZE} - max({series('checkpoint_size')})"),
    Number(Bilingual("بلا توقيع الشهود", "Not cosigned"), f"{_LOG_SIZE} - max({series('cosigned_size')})"),
)
CHARTS: Final = (
    Chart(Bilingual("أحداث مقبولة", "Accepted events"), "eps", (_rate("events_registered", "agency"),)),
    Chart(Bilingual("سجلات مرفوضة", "Refused records"), "eps", (_rate("events_refused", "agency, code"),)),
    Chart(
        Bilingual("قيود لم تُطبَّق", "Entries not applied"),
        "none",
        (
            (f"max by (consumer) ({series('lag_entries')})", "{{consumer}}"),
            (f"{_LOG_SIZE} - max({series('shipped_up_to')})", "yesser.log"),
        ),
    ),
    Chart(Bilingual("قيود مطبَّقة", "Entries applied"), "eps", (_rate("entries_applied", "consumer"),)),
    Chart(
        Bilingual("مدة المعاملة، المئين 99", "Transaction, 99th percentile"),
        "s",
        (_quantile("0.99", "batch_seconds"),),
    ),
    Chart(
        Bilingual("سجلات المعاملة، الوسيط", "Records in a transaction, median"),
        "none",
        (_quantile("0.5", "batch_records"),),
    ),
    Chart(
        Bilingual("المكرر والمتعارض", "Duplicates and conflicts"),
        "eps",
        (
            _rate("events_duplicate", "agency", "{{agency}}: مكرر · duplicate"),
            _rate("events_conflicting", "agency", "{{agency}}: متعارض · conflict"),
        ),
    ),
    Chart(
        Bilingual("محاولات معادة وكتابات ممنوعة وفجوات", "Retries, fenced writers, gaps"),
        "none",
        (
            _rate("retries", "process", each="increase"),
            _rate("fenced_writers", "process", "{{process}}: ممنوعة · fenced", each="increase"),
            _rate("gaps_filled", "consumer", "{{consumer}}: فجوات · gaps", each="increase"),
        ),
    ),
    Chart(
        Bilingual("البوابة: مخزَّن ومشكلات", "Gateway: stored, problems"),
        "eps",
        (_rate("gateway_events_stored", legend="مخزَّن · stored"), _rate("gateway_problems", "code")),
    ),
    Chart(
        Bilingual("البوابة: اتصالات ورموز الدخول", "Gateway: connections, tokens"),
        "none",
        (
            (f"sum({series('gateway_connections')})", "اتصالات · connections"),
            _rate("gateway_token_lookups", legend="بحث عن رمز في الثانية · look-ups a second"),
            _rate("gateway_tokens_changed", legend="صفوف متغيرة · changed rows", each="increase"),
            (f"max({series('break_glass')})", "أفعال شخص واحد في 7 أيام · acts of one person in 7 days"),
        ),
    ),
    Chart(
        Bilingual("صندوق الصادر", "Outbox"),
        "none",
        (
            (f"sum by (instance) ({series('outbox_waiting')})", "{{instance}}: منتظر · waiting"),
            _rate("outbox_sent", "instance", "{{instance}}: مُرسل في الثانية · sent a second"),
            _rate("campaign_entries_sent", legend="قيود الحملات في الثانية · campaign entries a second"),
            (f"sum({series('decisions_held')})", "تنتظر قرارًا · held"),
        ),
    ),
    Chart(
        Bilingual("ويب هوك وبريد", "Webhooks and e-mails"),
        "none",
        (
            _rate("webhook_attempts", "code"),
            (f"sum({series('webhooks_in_flight')})", "جارية · in flight"),
            _rate("mails", "code", "بريد · e-mail: {{code}}"),
        ),
    ),
    Chart(
        Bilingual("نقاط تحقق موقَّعة", "Signed checkpoints"),
        "eps",
        (_rate("checkpoints_signed", legend="في الثانية · a second"),),
    ),
    Chart(
        Bilingual("موضوعات لا يُكتب فيها", "Topics that cannot be written"),
        "none",
        ((f"max by (topic) ({series('topics_unwritten')})", "{{topic}}"),),
    ),
    Chart(
        Bilingual("قرص شاغر", "Free disk"),
        "percentunit",
        ((f"min by (folder) ({series('disk_free_ratio')})", "{{folder}}"),),
    ),
    Chart(
        Bilingual("WAL", "WAL"),
        "bytes",
        (
            (f"max({series('wal_bytes')})", "في قاعدة البيانات · in the database"),
            (f"max({series('wal_waiting_bytes')})", "لم يُتسلَّم · not received"),
        ),
    ),
    Chart(
        Bilingual("خدمات تجيب", "Services that answer"),
        "none",
        ((f"min by (service) ({series('service_reachable')})", "{{service}}"),),
    ),
    Chart(
        Bilingual("مضى على آخر نسخة سليمة، وبقي للشهادات", "Age of the last checked backup, time left of certificates"),
        "s",
        (
            (f"time() - max({series('backup_checked_timestamp_seconds')})", "نسخة احتياطية · backup"),
            (f"min by (file) ({series('certificate_expires_timestamp_seconds')}) - time()", "{{file}}"),
        ),
    ),
    Chart(
        Bilingual("عمر أقدم رقم معاملة", "Age of the oldest transaction id"),
        "none",
        ((f"max({series('transaction_id_age')})", "PostgreSQL"),),
    ),
    Chart(
        Bilingual("جداول لها مدة حفظ", "Tables with a retention"),
        "bytes",
        ((f"max by (table) ({series('table_bytes')})", "{{table}}"),),
    ),
    Chart(
        Bilingual("صفوف انتهت مدة حفظها", "Rows whose retention is over"),
        "none",
        (_rate("rows_expired", "table", each="increase"),),
    ),
)
_HEAD: Final = {
    "title": "يسر للأحداث · Yesser Events",
    "uid": "yesser-events",
    "tags": ["yesser"],
    "timezone": "browser",
    "schemaVersion": 41,
    "refresh": "15s",
    "time": {"from": "now-6h", "to": "now"},
    "templating": {
        "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
    },
}


def dashboard() -> str:
    """The file of Grafana: a panel a line."""
    panels = ",\n".join(_json({"id": number, **panel}) for number, panel in enumerate(_panels(), 1))
    return f'{_json(_HEAD)[:-1]}, "panels": [\n{panels}\n]}}\n'


def _panels() -> Iterator[dict[str, Any]]:
    for place, number in enumerate(NUMBERS):
        yield _number(number, {"x": 4 * place, "y": 0, "w": 4, "h": 4})
    for place, chart in enumerate(CHARTS):
        yield _chart(chart, {"x": 12 * (place % 2), "y": 4 + 8 * (place // 2), "w": 12, "h": 8})


def _number(number: Number, at: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if number.is_bad:
        steps.append({"color": "red", "value": 1})
    return {
        "type": "stat",
        "title": _both(number.title),
        "gridPos": at,
        "datasource": _SOURCE,
        "fieldConfig": {
            "defaults": {"unit": "none", "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"},
        "targets": [{"refId": "A", "expr": number.expression, "instant": True}],
    }


def _chart(chart: Chart, at: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": ref, "expr": expression, "legendFormat": legend}
        for ref, (expression, legend) in zip("ABCD", chart.queries, strict=False)
    ]
    return {
        "type": "timeseries",
        "title": _both(chart.title),
        "gridPos": at,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": chart.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": targets,
    }


def _both(text: Bilingual) -> str:
    return f"{text.ar} · {text.en}"


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)
