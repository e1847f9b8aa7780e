"""The alerts of Prometheus. `python -m infra.deployment_files` writes `infra/monitoring/alerts.yml` from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from events.values.bilingual import Bilingual
from infra.observability.telemetry import series

_REFUSED: Final = series("events_refused")
_REGISTERED: Final = series("events_registered")
_TOKENS_CHANGED: Final = series("gateway_tokens_changed")
_WEBHOOKS: Final = series("webhook_attempts")
_OF_PLATFORM: Final = f'{_REFUSED}{{agency="platform"}}'


@dataclass(frozen=True, slots=True)
class Alert:
    """`page`: an operator is needed now; `ticket`: within the working day. It is active after `lasts` of `expression`.

    `runbook`: the page of `docs` that says what to do, with its heading.
    """

    name: str
    severity: Literal["page", "ticket"]
    expression: str
    summary: Bilingual
    runbook: str
    lasts: str | None = None


ALERTS: Final = (
    Alert(
        "YesserProcessDown",
        "page",
        'up{job="yesser"} == 0',
        Bilingual("لا يجيب {{ $labels.instance }}.", "{{ $labels.instance }} does not answer."),
        "docs/runbook.md#a-process-keeps-restarting",
        lasts="2m",
    ),
    Alert(
        "YesserNotReady",
        "page",
        f"{series('ready')} == 0",
        Bilingual(
            "{{ $labels.instance }} غير جاهز. يبيّن `yesser status` السبب.",
            "{{ $labels.instance }} is not ready. `yesser status` says why.",
        ),
        "docs/runbook.md",
        lasts="2m",
    ),
    Alert(
        "YesserNoRegistrar",
        "page",
        f"absent({series('log_size')})",  # a process that stands by has no gauges
        Bilingual(
            "لا يعمل أي مسجِّل: تُخزَّن الأحداث في كافكا ولا تصدر نتائج تحققها.",
            "No registrar is working: events are stored in Kafka and get no verdict.",
        ),
        "docs/runbook.md#the-registrar-is-halted",
        lasts="2m",
    ),
    Alert(
        "YesserTopicHalted",
        "page",
        f"max({series('topics_halted')}) > 0",
        Bilingual(
            "موضوعات الجهات المتوقفة: {{ $value }}. فُقدت سجلات قُرئت منها أو تغيّرت.",
            "{{ $value }} agency topics are halted: records that were read are lost or changed.",
        ),
        "docs/runbook.md#an-agencys-topic-is-halted",
    ),
    # A counter is exposed from its first event on, and `increase` sees none in the first value of a series.
    Alert(
        "YesserPlatformEventRefused",
        "page",
        f"increase({_OF_PLATFORM}[10m]) > 0\n  or ({_OF_PLATFORM}\n      unless {_OF_PLATFORM} offset 10m) > 0",
        Bilingual("رُفض حدث أرسلته المنصة نفسها.", "An event of the platform itself was refused."),
        "docs/runbook.md#an-event-of-the-platform-was-refused",
    ),
    Alert(
        "YesserTokenChanged",
        "page",
        f"increase({_TOKENS_CHANGED}[10m]) > 0\n  or ({_TOKENS_CHANGED} unless {_TOKENS_CHANGED} offset 10m) > 0",
        Bilingual(
            "صف رمز دخول في قاعدة البيانات ليس كما صدر.",
            "A token's row in the database is not the one that was issued.",
        ),
        "docs/runbook.md#a-tokens-row-was-changed",
    ),
    Alert(
        "YesserBreakGlass",
        "page",
        f"max({series('break_glass')}) > 0",
        Bilingual(
            "مرات فعل فيها شخص واحد ما يحتاج إلى شخصين في آخر 7 أيام: {{ $value }}.",
            "One person did what needs two, {{ $value }} times in the last 7 days.",
        ),
        "docs/runbook.md#one-person-did-what-needs-two",
    ),
    Alert(
        "YesserNotSigned",
        "page",
        f"max({series('checkpoint_size')}) < max({series('log_size')} offset 5m)",
        Bilingual("لم تُوقَّع قيود مضت عليها خمس دقائق.", "Entries that are older than five minutes are not signed."),
        "docs/runbook.md#the-registrar-is-halted",
    ),
    Alert(
        "YesserServiceAway",
        "page",
        f"min by (service) ({series('service_reachable')}) == 0",
        Bilingual("لا يقبل {{ $labels.service }} اتصالات.", "{{ $labels.service }} accepts no connections."),
        "docs/runbook.md#the-stack-does-not-start",
        lasts="2m",
    ),
    Alert(
        "YesserDiskFull",
        "page",
        f"min by (folder) ({series('disk_free_ratio')}) < 0.1",
        Bilingual(
            "بقي أقل من عُشر قرص المجلد {{ $labels.folder }}.",
            "The disk of the folder {{ $labels.folder }} has less than a tenth free.",
        ),
        "docs/backup.md#what-fills-a-disk",
        lasts="5m",
    ),
    Alert(
        "YesserTransactionIdsOld",
        "page",
        f"max({series('transaction_id_age')}) > 1e9",
        Bilingual(
            "عمر أقدم رقم معاملة {{ $value }}؛ وعند مليارين يتوقف PostgreSQL عن الكتابة.",
            "The oldest transaction id is {{ $value }} old. At 2 billion PostgreSQL stops writing.",
        ),
        "docs/backup.md#what-fills-a-disk",
    ),
    Alert(
        "YesserBackupOld",
        "ticket",
        f"time() - max({series('backup_checked_timestamp_seconds')}) > 2 * 86400",
        Bilingual("لم تُصنع نسخة احتياطية سليمة منذ يومين.", "No backup was made and checked in the last two days."),
        "docs/backup.md#watch-it",
    ),
    Alert(
        "YesserWalWaits",
        "ticket",
        f"max({series('wal_waiting_bytes')}) > 4e9\n  or max({series('wal_bytes')}) > 8e9",
        Bilingual(
            "يزيد WAL في قاعدة البيانات: {{ $value }} من البايتات لم تتسلمها نسخة مطابقة أو مجلد النسخ الاحتياطية.",
            "WAL grows in the database: {{ $value }} bytes. A replica or the archive of backups does not receive it.",
        ),
        "docs/backup.md#what-fills-a-disk",
        lasts="10m",
    ),
    Alert(
        "YesserCertificateExpires",
        "ticket",
        f"min by (file) ({series('certificate_expires_timestamp_seconds')}) - time() < 14 * 86400",
        Bilingual(
            "تنتهي الشهادة {{ $labels.file }} خلال أسبوعين.", "The certificate {{ $labels.file }} expires in two weeks."
        ),
        "docs/runbook.md#a-certificate-is-not-trusted",
    ),
    Alert(
        "YesserNotCosigned",
        "ticket",
        f"max({series('cosigned_size')}) < max({series('checkpoint_size')} offset 1h)",
        Bilingual(
            "لا تحمل أي نقطة تحقق من الساعة الأخيرة توقيعات الشهود التي تطلبها السياسة.",
            "No checkpoint of the last hour has the cosignatures that the policy asks for.",
        ),
        "docs/witnesses.md",
    ),
    Alert(
        "YesserConsumerBehind",
        "ticket",
        f"max by (consumer) ({series('lag_entries')}) > 10000",
        Bilingual(
            "القيود التي لم يطبقها {{ $labels.consumer }}: {{ $value }}.",
            "{{ $labels.consumer }} has not applied {{ $value }} entries.",
        ),
        "docs/runbook.md#lag-does-not-return-to-zero",
        lasts="10m",
    ),
    Alert(
        "YesserLogTopicBehind",
        "ticket",
        f"max({series('shipped_up_to')}) < max({series('log_size')} offset 5m)",
        Bilingual(
            "لم تصل إلى موضوع السجل قيود مضت عليها خمس دقائق، فتقرؤها المستهلكات من PostgreSQL.",
            "Entries that are older than five minutes are not in the log's topic. Consumers read them from PostgreSQL.",
        ),
        "docs/runbook.md#lag-does-not-return-to-zero",
    ),
    Alert(
        "YesserOutboxWaits",
        "ticket",
        f"{series('outbox_waiting')} > 1000",
        Bilingual(
            "الأحداث المنتظرة في صندوق الصادر ({{ $labels.instance }}): {{ $value }}.",
            "{{ $value }} events wait in the outbox of {{ $labels.instance }}.",
        ),
        "docs/runbook.md#lag-does-not-return-to-zero",
        lasts="10m",
    ),
    Alert(
        "YesserTopicPaused",
        "ticket",
        f"max({series('topics_paused')}) > 0",
        Bilingual(
            "موضوعات الجهات البطيئة: {{ $value }}. معظم سجلاتها مرفوض أو مكرر.",
            "{{ $value }} agency topics are paused: they hold little but refused or repeated records.",
        ),
        "docs/runbook.md#an-agencys-topic-is-paused",
        lasts="30m",
    ),
    Alert(
        "YesserAgencyRefused",
        "ticket",
        f"sum by (agency) (rate({_REFUSED}[30m])) > 0\n"
        f"  unless sum by (agency) (rate({_REGISTERED}[30m]))\n"
        f"    >= sum by (agency) (rate({_REFUSED}[30m]))",
        Bilingual(
            "المرفوض من أحداث {{ $labels.agency }} أكثر من المقبول. يعرضها `yesser refusals list`.",
            "More events of {{ $labels.agency }} are refused than accepted. `yesser refusals list` shows them.",
        ),
        "docs/files.md",
        lasts="30m",
    ),
    Alert(
        "YesserWebhooksFail",
        "ticket",
        f'sum(rate({_WEBHOOKS}{{code!~"2.."}}[30m]))\n  > (sum(rate({_WEBHOOKS}{{code=~"2.."}}[30m])) or vector(0))',
        Bilingual(
            "محاولات ويب هوك الفاشلة أكثر من الناجحة. يعرضها `yesser webhooks attempts`.",
            "More attempts to deliver webhooks fail than succeed. `yesser webhooks attempts` shows them.",
        ),
        "docs/webhooks.md",
        lasts="30m",
    ),
    Alert(
        "YesserMailServerAway",
        "ticket",
        f'sum(increase({series("mails")}{{code="no-server"}}[15m])) > 0',
        Bilingual("خادم البريد لا يقبل رسائل؛ وهي تنتظر.", "The mail server takes no e-mails; they wait."),
        "docs/runbook.md#the-mail-server-takes-no-e-mails",
        lasts="15m",
    ),
)
_HEAD: Final = """\
# Alerting rules for Prometheus (docs/monitoring.md). `page`: an operator is needed now; `ticket`: in the working day.
# `python -m infra.deployment_files` writes this file from infra/observability/alerts.py.
groups:
  - name: yesser
    rules:
"""


def alert_rules() -> str:
    """The file of Prometheus."""
    return _HEAD + "\n".join(map(_rule, ALERTS))


def _rule(alert: Alert) -> str:
    first, *more = lines = alert.expression.split("\n")
    expression = "|" + "".join(f"\n          {line}" for line in lines) if more else first
    lasts = f"        for: {alert.lasts}\n" if alert.lasts else ""
    return (
        f"      - alert: {alert.name}\n"
        f"        expr: {expression}\n{lasts}"
        f"        labels: {{severity: {alert.severity}}}\n"
        "        annotations:\n"
        f'          summary: "{alert.summary.en}"\n'
        f'          summary_ar: "{alert.summary.ar}"\n'
        f"          runbook: {alert.runbook}\n"
    )
