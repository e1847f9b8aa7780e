"""Who acts: the teams of agencies that get campaigns, with their addresses and what they are subscribed to; the
accounts of the console, which say who may sign in; and the trail of who did what.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, TypedDict

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.document import AgencyCode, Count, Label, Labelled, Listing, Name, ServiceIds, Time
from consumers.documents.teams.webhooks import WebhookAndSecrets


class ReadsFirst(Labelled):
    ARABIC = "ar", "العربية", "Arabic"
    ENGLISH = "en", "الإنجليزية", "English"


class Team(Struct, frozen=True, kw_only=True):
    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    team: Annotated[str, Label("الفريق", "Team")]
    name: Annotated[Name, Label("الاسم", "Name", drop=1)]
    language: Annotated[ReadsFirst, Label("اللغة الأولى", "First language", drop=4)]
    created_at: Time
    closed_at: Annotated[Time | None, Label("أُنهي", "Ended", drop=5)]
    contacts: Annotated[Count, Label("العناوين", "Addresses", drop=3), Meta(description="The number of its addresses.")]
    webhooks: Annotated[Count, Label("ويب هوك", "Webhooks", drop=3), Meta(description="Those that are not disabled.")]
    subscriptions: Annotated[
        Count, Label("الاشتراكات", "Subscriptions", drop=2), Meta(description="Those that have not ended.")
    ]


class AddressState(Labelled):
    CONFIRMED = "confirmed", "مؤكد", "Confirmed", "good"
    REGISTERED_DOMAIN = "registered-domain", "نطاق الجهة", "Domain of the agency", "good"
    WAITING = "waiting", "ينتظر التأكيد", "Waits for confirmation", "late"
    STOPPED = "stopped", "أوقف صاحبه الرسائل", "Its reader stopped letters", "bad"


class Address(Struct, frozen=True, kw_only=True):
    """An address of a team, and what its reader decided."""

    address: Annotated[str, Label("العنوان", "Address")]
    state: Annotated[AddressState, Label("الحالة", "State")]
    since: Annotated[Time, Label("منذ", "Since", drop=2), Meta(description="Of the state.")]
    used_until: Annotated[
        Time | None,
        Label("يُستخدم حتى", "Used until", drop=1),
        Meta(description="It gets letters until then without a confirmation."),
    ]


class NotSentReason(Labelled):
    UNCONFIRMED = "unconfirmed", "لم يؤكد أحد العنوان", "Nobody has confirmed the address"
    STOPPED = "stopped", "أوقف صاحب العنوان الرسائل", "The reader stopped letters"
    TEAM_CHANGED = "team-changed", "غُيّرت بيانات الفريق في قاعدة البيانات", "The team's row was changed in the database"
    NO_CONTACT = "no-contact", "لا عنوان للفريق", "The team has no address"
    BAD_ADDRESS = "bad-address", "العنوان غير صالح", "The address is not valid"
    REFUSED = "refused", "رفضها خادم البريد", "The mail server refused it"
    LATER = "later", "أجّلها خادم البريد خمسة أيام", "The mail server postponed it for five days"
    EXPIRED = "expired", "لم تُسلّم خلال خمسة أيام", "It could not be delivered for five days"
    UNKNOWN = "unknown", "لم يؤكد خادم البريد وصولها", "The mail server did not confirm it"
    CANNOT_BE_WRITTEN = "cannot-be-written", "تعذرت كتابتها", "It could not be written"
    UNKNOWN_KIND = "unknown-kind", "نوعها غير معروف", "Its kind is not known"
    UNKNOWN_CAMPAIGN = "unknown-campaign", "حملتها غير معروفة", "Its campaign is not known"
    UNKNOWN_ENTRY = "unknown-entry", "قيدها غير معروف", "Its entry is not known"


class NotSent(Struct, frozen=True, kw_only=True):
    """An e-mail that was not sent."""

    kind: Annotated[str, Label("الرسالة", "Letter")]
    campaign_id: Annotated[str | None, Label("الحملة", "Campaign", drop=1)]
    at: Annotated[Time, Label("الوقت", "Time")]
    reason: Annotated[NotSentReason, Label("السبب", "Reason")]


class Contacts(Struct, frozen=True, kw_only=True):
    """The addresses of a team, the one that is written to first being first. `team`: where a route answers."""

    team: str | UnsetType = UNSET
    contacts: tuple[str, ...]
    addresses: Annotated[tuple[Address, ...], Meta(description="The same, with what their readers decided.")]
    not_sent: Annotated[
        tuple[NotSent, ...],
        Meta(description="The newest e-mails that were not sent, each with its reason, such as `unconfirmed`."),
    ]


class Route(Labelled):
    EMAIL = "email", "بريد", "E-mail"
    WEBHOOK = "webhook", "ويب هوك", "Webhook"


class Subscription(Struct, frozen=True, kw_only=True):
    """What a team gets by which route. Where rules, services, channels or types are null, it gets all."""

    subscription_id: Annotated[Count, Label("الاشتراك", "Subscription")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    team: Annotated[str, Label("الفريق", "Team", drop=1)]
    route: Annotated[Route, Label("الطريق", "Route")]
    endpoint_id: Annotated[str | None, Label("ويب هوك", "Webhook", drop=2)]
    rules: Annotated[tuple[str, ...] | None, Label("القواعد", "Rules", drop=3)]
    services: Annotated[ServiceIds | None, Label("الخدمات", "Services", drop=3)]
    channels: Annotated[tuple[str, ...] | None, Label("الوسائل", "Channels", drop=3)]
    types: Annotated[tuple[str, ...] | None, Label("الأحداث", "Events", drop=4)]
    from_index: Annotated[
        Count,
        Label("من القيد", "From entry", drop=5),
        Meta(description="The first entry that is sent as it is logged."),
    ]
    backfill_next: Annotated[
        Count | None,
        Label("الإعادة من", "Replay from", drop=6),
        Meta(description="The next entry that is sent as a replay."),
    ]
    backfill_to: Annotated[
        Count | None, Label("إلى ما قبل", "Replay to", drop=6), Meta(description="The replay ends before this entry.")
    ]
    created_at: Time
    ended_at: Annotated[Time | None, Label("انتهى", "Ended", drop=7)]


Backfill = TypedDict("Backfill", {"from": Count, "to": Count})


class Subscribed(Struct, frozen=True, kw_only=True):
    """What was added. `backfill`: which entries are sent again, without that of `to`."""

    subscription_id: Count
    endpoint_id: str | None
    from_index: Count
    backfill: Backfill | None


class TeamInFull(Team, frozen=True, kw_only=True):
    """A team with its webhooks and subscriptions; of addresses, their first letter and their domain."""

    addresses: Annotated[tuple[str, ...], Label("عناوين البريد", "E-mail addresses", drop=3)]
    endpoints: tuple[WebhookAndSecrets, ...]
    subscribed: tuple[Subscription, ...]


TEAMS: Final = Listing("الفرق", "Teams", Team)
TEAM_IN_FULL: Final = Listing("الفريق", "Team", TeamInFull)
ADDRESSES: Final = Listing("عناوين البريد", "E-mail addresses", Address)
NOT_SENT: Final = Listing("رسائل لم تُرسل", "E-mails that were not sent", NotSent)
SUBSCRIPTIONS: Final = Listing("الاشتراكات", "Subscriptions", Subscription)


class AccountRole(Labelled):
    OFFICE = "office", "مكتب البرنامج", "Programme office"
    AGENCY = "agency", "جهة", "Agency"
    TEAM = "team", "فريق الحملات", "Campaign team"
    PARTNER = "partner", "شريك", "Partner"
    TREASURY = "treasury", "الخزينة", "Treasury"
    AUDITOR = "auditor", "مدقق", "Auditor"
    ADMINISTRATOR = "administrator", "مدير النظام", "Administrator"


class AccountOfConsole(Struct, frozen=True, kw_only=True):
    """`is_sealed`: or its row was changed in the database, and it signs nobody in."""

    username: Annotated[str, Label("الحساب", "Account")]
    role: Annotated[AccountRole, Label("الدور", "Role")]
    holder: Annotated[AgencyCode | None, Label("الجهة", "Agency", drop=1)]
    team: Annotated[str | None, Label("الفريق", "Team", drop=1)]
    partners: Annotated[tuple[str, ...], Label("الشركاء", "Partners", drop=2)]
    language: ReadsFirst
    must_change_password: bool
    oidc_subject: Annotated[str | None, Label("المعرّف لدى مزود الهوية", "Subject", drop=3)]
    created_at: Time
    last_sign_in_at: Annotated[Time | None, Label("آخر دخول", "Last sign-in", drop=4)]
    disabled_at: Annotated[Time | None, Label("عُطّل", "Disabled")]
    has_password: bool
    is_sealed: Annotated[bool, Label("مختوم", "Sealed")]


ACCOUNTS: Final = Listing("الحسابات", "Accounts", AccountOfConsole)


class TrailRow(Struct, frozen=True, kw_only=True):
    """`sha256`: of its link in the chain."""

    READ_FIRST: ClassVar = ("position", "at", "account", "operator")

    position: Annotated[Count, Label("الموضع", "Position", drop=3)]
    at: Annotated[Time, Label("الوقت", "Time")]
    role: Annotated[str | None, Label("دور قاعدة البيانات", "Database role", drop=2)]
    account: Annotated[str | None, Label("الحساب", "Account")]
    operator: Annotated[str | None, Label("المشغّل", "Operator")]
    host: Annotated[str, Label("الجهاز", "Machine", drop=1)]
    command: Annotated[str, Label("الإجراء", "Action")]
    event_ids: tuple[str, ...] | None
    sha256: str


TRAIL: Final = Listing("سجل الإجراءات", "Trail", TrailRow)
