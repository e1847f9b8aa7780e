"""Webhooks of teams, and the attempts to deliver to them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from consumers.documents.document import AgencyCode, Count, Instant, Label, Labelled, Listing, Time


class Working(Labelled):
    """The state of a webhook that is not disabled."""

    ACTIVE = "active", "يعمل", "Active", "good"
    FAILING = "failing", "لا يستقبل", "Failing", "bad"


class DisabledReason(Labelled):
    GONE = "gone", "معطل: أجاب بـ 410", "Disabled: it answered 410", "quiet"
    FAILING = "failing", "معطل: لا يستقبل", "Disabled: it kept failing", "quiet"
    BY_TEAM = "by-team", "عطّله الفريق", "Disabled by its team", "quiet"


class MessageKind(Labelled):
    EXAMPLE = "example", "مثال", "Example"
    TRIGGERED = "triggered", "أُطلقت", "Triggered"
    ESCALATED = "escalated", "صُعّدت", "Escalated"
    PAUSED = "paused", "أُوقفت", "Paused"
    RESUMED = "resumed", "استُؤنفت", "Resumed"
    ACKNOWLEDGED = "acknowledged", "استُلمت", "Acknowledged"
    AIRED = "aired", "بُثت", "Aired"
    AIRING_CORRECTED = "airing-corrected", "صُحّح وصول بث", "Reach corrected"
    COMPLETED = "completed", "اكتملت", "Completed"
    REFUSAL = "notice.refusal", "سجلات مرفوضة", "Refused records"
    ANOMALY = "notice.anomaly", "تناقضات", "Anomalies"
    PAUSE = "notice.pause", "إبطاء القراءة", "Topic paused"
    HALT = "notice.halt", "توقف القراءة", "Topic halted"
    READ_AGAIN = "notice.resumed", "عودة القراءة", "Topic read again"
    CREDENTIAL = "notice.credential", "رمز دخول ينتهي", "Token expires"
    CERTIFICATE = "notice.certificate", "شهادة تنتهي", "Certificate expires"
    SILENCE = "notice.silence", "حدث متوقع لم يصل", "Expected event missing"


class MessageState(Labelled):
    WAITING = "waiting", "تنتظر", "Waiting"
    DELIVERED = "delivered", "سُلّمت", "Delivered", "good"
    FAILED = "failed", "لم تُسلّم", "Not delivered", "bad"
    CANCELLED = "cancelled", "أُلغيت", "Cancelled", "quiet"


class AttemptError(Labelled):
    """Why there was no answer."""

    ADDRESS_REFUSED = "address-refused", "لا يوجد هذا العنوان، أو رُفض", "Address not found, or refused"
    CONNECT_TIMEOUT = "connect-timeout", "لم يتصل في المهلة", "No connection in time"
    TIMEOUT = "timeout", "لم يجب في المهلة", "No answer in time"
    CERTIFICATE = "certificate", "شهادة غير صالحة", "Certificate not valid"
    CANNOT_CONNECT = "cannot-connect", "تعذر الاتصال", "Cannot connect"
    BAD_URL = "bad-url", "عنوان غير صالح", "Address not valid"
    BAD_ANSWER = "bad-answer", "جواب غير صالح", "Answer not valid"
    CONNECTION_LOST = "connection-lost", "انقطع الاتصال", "Connection lost"
    NO_SECRET = "no-secret", "لا سر سارٍ", "No active secret"


class Webhook(Struct, frozen=True, kw_only=True):
    READ_FIRST: ClassVar = ("endpoint_id", "agency", "team", "state", "state_since")

    endpoint_id: Annotated[str, Label("ويب هوك", "Webhook")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    team: Annotated[str, Label("الفريق", "Team", drop=1)]
    url: Annotated[str, Label("العنوان", "Address", drop=2)]
    created_at: Time
    failing_since: Time | None
    disabled_at: Time | None
    disabled_reason: DisabledReason | None

    @property
    def state(self) -> Annotated[Labelled, Label("الحالة", "State")]:
        return self.disabled_reason or (Working.FAILING if self.failing_since else Working.ACTIVE)

    @property
    def state_since(self) -> Annotated[Time | None, Label("منذ", "Since", drop=5)]:
        """Not known of one that works."""
        return self.disabled_at or self.failing_since


class Secret(Struct, frozen=True, kw_only=True):
    kind: Literal["v1", "v1a"]
    expires_at: Instant | None


class WebhookAndSecrets(Webhook, frozen=True, kw_only=True):
    secrets: Annotated[tuple[Secret, ...], Meta(description="The active ones, which all sign.")]

    @property
    def signs_with(
        self,
    ) -> Annotated[tuple[str, ...], Label("الأسرار السارية (حتى)", "Active secrets (until)", drop=3)]:
        return tuple(f"{one.kind} ({one.expires_at[:16]})" if one.expires_at else one.kind for one in self.secrets)


class WebhookAndMessages(Webhook, frozen=True, kw_only=True):
    """With how many messages wait or were not delivered, up to 1,001, and its last attempt."""

    waiting: Annotated[Count, Label("ينتظر", "Waiting")]
    undelivered: Annotated[Count, Label("لم يُسلّم", "Not delivered")]
    last_attempt_at: Annotated[Time | None, Label("آخر محاولة", "Last attempt", drop=4)]
    last_status: Annotated[Count | None, Label("الجواب", "Answer", drop=3)]
    last_error: Annotated[AttemptError | None, Label("الخطأ", "Error", drop=3)]


class Attempt(Struct, frozen=True, kw_only=True):
    """An attempt to deliver a message to a webhook."""

    READ_FIRST: ClassVar = ("at", "message_id", "kind", "campaign_id", "number", "status", "error", "latency_ms")

    message_id: Annotated[Count, Label("الرسالة", "Message")]
    kind: Annotated[
        MessageKind, Label("النوع", "Kind", drop=1), Meta(description="`triggered`, `escalated` …; `example`.")
    ]
    event_id: Annotated[str, Label("الحدث", "Event", drop=6)]
    campaign_id: Annotated[str | None, Label("الحملة", "Campaign", drop=2)]
    log_index: Annotated[Count | None, Label("القيد", "Entry", drop=5), Meta(description="The entry that was sent.")]
    state: Annotated[
        MessageState, Label("الحالة", "State"), Meta(description="Of the message, after all its attempts.")
    ]
    replay: Annotated[bool, Label("معادة", "Replay", drop=7)]
    late: bool
    number: Annotated[Count, Label("المحاولة", "Attempt", drop=3), Meta(description="Of the attempt, from 1.")]
    at: Annotated[Time, Label("الوقت", "Time")]
    status: Annotated[Count | None, Label("الجواب", "Answer"), Meta(description="That your system answered.")]
    error: Annotated[AttemptError | None, Label("الخطأ", "Error"), Meta(description="Why there was no answer.")]
    latency_ms: Annotated[Count, Label("المدة (م.ث)", "Duration (ms)", drop=4)]
    answer: Annotated[str, Label("نص الجواب", "Text of the answer", is_detail=True), Meta(description="Its first KiB.")]
    next_attempt_at: Time | None


class Example(Struct, frozen=True, kw_only=True):
    """An example that waits to be sent to a webhook."""

    message_id: Count
    endpoint_id: str
    event_id: str


class Redelivered(Struct, frozen=True, kw_only=True):
    """The messages that are sent to a webhook again."""

    endpoint_id: str
    messages: tuple[Count, ...]


ACTIVE_SECRETS: Final = Listing("ويب هوك", "Webhooks", WebhookAndSecrets)
WEBHOOKS: Final = Listing("ويب هوك", "Webhooks", WebhookAndMessages)
ATTEMPTS: Final = Listing("المحاولات", "Attempts", Attempt)
