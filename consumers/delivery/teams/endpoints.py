"""Webhooks of teams: their registration, their secrets, and an example that is sent to them.

A secret is sealed for the delivery process before it is stored, and shown once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from consumers.delivery.secrets import new_secret, public_key, seal
from consumers.delivery.teams.changes import SQL, Desk, NotAllowedNow, NotFound, limit_reached, require_open_team
from consumers.delivery.teams.inputs import NewWebhook, invalid_value
from consumers.delivery.webhooks.addresses import AddressRefused, Destinations, UrlFault, destinations, require_url
from consumers.documents.document import document_of, documents_of
from consumers.documents.teams.webhooks import Attempt, Example, Redelivered, WebhookAndMessages, WebhookAndSecrets
from events.values.bilingual import Bilingual
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

ENDPOINTS_MAX: Final = 50
"""Webhooks of a team that are not disabled."""
ACTIVE_SECRETS_MAX: Final = 2
"""Of each kind."""
OLD_SECRET_HOURS: Final = 24
"""A secret that was replaced still signs for this long."""
WAITING_EXAMPLES_MAX: Final = 10
REDELIVERED_MAX: Final = 10_000
"""Messages that an agency has sent again by one request."""
COUNT_MAX: Final = 1_000
"""Messages of a webhook that are counted in each state."""
_URL_FAULTS: Final[dict[UrlFault, Bilingual]] = {
    "scheme": Bilingual(
        "اكتب عنوانًا يبدأ بـ https://. للتجربة يسمّي المشغّل مضيفك في YESSER_WEBHOOK_HOSTS.",
        "Write a URL that begins with https://. To try one on your machine, the operator names its host in"
        " YESSER_WEBHOOK_HOSTS.",
    ),
    "port": Bilingual("المنفذ غير مسموح؛ المسموح {ports}.", "This port is not allowed; use {ports}."),
    "host": Bilingual(
        "هذا المضيف داخل الشبكة أو ليس اسمًا: اكتب اسم مضيف عام، أو يسمّيه المشغّل في YESSER_WEBHOOK_HOSTS.",
        "This host is inside the network, or is no name: write the name of a public host, or the operator names it in"
        " YESSER_WEBHOOK_HOSTS.",
    ),
}
_SQL: Final = queries("consumers.delivery.webhooks", "redelivery.sql")
_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """An endpoint and its new secrets."""

    endpoint_id: str
    secret: Annotated[str, Meta(description="`whsec_…`, for `v1`. It is not shown again.")] = field(repr=False)
    public_key: Annotated[str, Meta(description="`whpk_…`, for `v1a`.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: the one with this id, or those that were made in this span (`until` excluded)."""

    message_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def words(self) -> list[str]:
        """As options of the command."""
        given = {"--message": self.message_id, "--since": self.since, "--until": self.until}
        return [f"{name} {value}" for name, value in given.items() if value is not None]


async def add_endpoint(desk: Desk, agency: str, new: NewWebhook) -> ShownOnce:
    """Register a webhook. Raises `InvalidInput`, `NotFound`, `NotAllowedNow` and `NoSealingKey`."""
    require_deliverable(new.url, destinations(desk.settings))
    endpoint_id = "ep_" + _random_text(16)
    async with desk.changing(agency, "webhooks add", f"{agency}/{new.team}", endpoint_id) as connection:
        await require_open_team(connection, agency, new.team)
        known = await connection.fetchval(SQL["endpoint_of_url"], agency, new.team, new.url)
        if known is not None:
            sentence = Bilingual(
                "هذا العنوان مسجل للفريق: {known}. للحصول على أسرار جديدة: yesser webhooks rotate {known}.",
                "The team has this URL already: {known}. For new secrets: `yesser webhooks rotate {known}`.",
            ).format(known=known)
            raise NotAllowedNow("already-exists", sentence)
        await _require_room(connection, agency, new.team)
        row = {"endpoint_id": endpoint_id, "agency": agency, "team": new.team, "url": new.url}
        await connection.execute(SQL["add_endpoint"], *row.values(), desk.seals.seal("delivery.endpoint", row))
        return await _add_secrets(connection, endpoint_id, first=1)


def require_deliverable(url: str, allowed: Destinations) -> None:
    """Raises `InvalidInput` for a URL to which nothing can be delivered, as far as it shows. It matches `URL_PATTERN`.

    The check that counts is made when a connection is opened, on the address that the host's name has then
    (`consumers.delivery.webhooks.addresses`).
    """
    try:
        require_url(url, allowed)
    except AddressRefused as refused:
        ports = ", ".join(map(str, sorted(allowed.ports)))
        raise invalid_value(_URL_FAULTS[refused.fault].format(ports=ports), "/url") from None


async def rotate(desk: Desk, agency: str | None, endpoint_id: str, *, end_old: bool = False) -> ShownOnce:
    """Give a webhook new secrets, which sign at once. The old ones sign for a day more, or no more if `end_old`.

    `agency`: only if the webhook is its own. Raises `NotFound`, `NotAllowedNow` and `NoSealingKey`.
    """
    owner, team = await _owner(desk.connection, agency, endpoint_id)
    words = ["webhooks rotate", f"{owner}/{team}", endpoint_id, *(["--end-old"] if end_old else [])]
    async with desk.changing(owner, *words) as connection:
        active = await connection.fetch(SQL["active_secrets"], endpoint_id)
        full = [row["first_ends"] for row in active if row["active"] >= ACTIVE_SECRETS_MAX]
        if full and not end_old:
            until = f"{min(full):%Y-%m-%d %H:%M} UTC"
            sentence = Bilingual(
                "لهذا الويب هوك سرّان ساريان، ينتهي أقدمهما في {}. لإنهاء القديم الآن: --end-old.",
                "The webhook has two active secrets, of which the older expires at {}. Wait until then, or end"
                " the old ones now: `--end-old`, in the API `end_old`.",
            ).format(until)
            raise NotAllowedNow("already-rotated", sentence)
        await connection.execute(SQL["expire_secrets"], endpoint_id, 0 if end_old else OLD_SECRET_HOURS)
        return await _add_secrets(
            connection, endpoint_id, first=await connection.fetchval(SQL["last_secret"], endpoint_id) + 1
        )


async def disable(desk: Desk, agency: str | None, endpoint_id: str) -> None:
    """Send an agency's webhook nothing more. Repeating it changes nothing. Raises `NotFound`."""
    owner, team = await _owner(desk.connection, agency, endpoint_id)
    async with desk.changing(owner, "webhooks disable", f"{owner}/{team}", endpoint_id) as connection:
        await connection.execute(SQL["disable_endpoint"], endpoint_id)


async def enable(desk: Desk, agency: str | None, endpoint_id: str) -> None:
    """Send an agency's webhook what is new again; repeating it changes nothing. Raises `NotFound`, `NotAllowedNow`."""
    owner, team = await _owner(desk.connection, agency, endpoint_id)
    async with desk.changing(owner, "webhooks enable", f"{owner}/{team}", endpoint_id) as connection:
        await require_open_team(connection, owner, team)
        if endpoint_id not in await open_endpoints(connection, owner, team):
            await _require_room(connection, owner, team)
            await connection.execute(SQL["enable_endpoint"], endpoint_id)


async def send_example(desk: Desk, agency: str | None, endpoint_id: str) -> Example:
    """Have an example event sent to a webhook, signed like every other. Raises `NotFound` and `NotAllowedNow`."""
    owner, team = await _owner(desk.connection, agency, endpoint_id)
    event_id = "example." + _random_text(10)
    async with desk.changing(owner, "webhooks test", f"{owner}/{team}", endpoint_id) as connection:
        await _require_open(connection, owner, team, endpoint_id)
        if await connection.fetchval(SQL["waiting_examples"], endpoint_id) >= WAITING_EXAMPLES_MAX:
            sentence = Bilingual("أمثلة تنتظر الإرسال.", "examples that wait to be sent.")
            raise limit_reached(WAITING_EXAMPLES_MAX, sentence)
        message_id = await connection.fetchval(SQL["add_example"], owner, team, endpoint_id, event_id)
    return Example(message_id=message_id, endpoint_id=endpoint_id, event_id=event_id)


async def redeliver(desk: Desk, agency: str | None, endpoint_id: str, wanted: Wanted) -> Redelivered:
    """Have messages that no longer wait sent to a webhook again, marked as replays. An agency's are bounded.

    Raises `NotFound` and `NotAllowedNow`.
    """
    owner, team = await _owner(desk.connection, agency, endpoint_id)
    words = ("webhooks redeliver", f"{owner}/{team}", endpoint_id, *wanted.words())
    async with desk.changing(owner, *words) as connection:
        await _require_open(connection, owner, team, endpoint_id)
        ids = await add_copies(connection, endpoint_id, wanted, None if agency is None else REDELIVERED_MAX + 1)
        if not ids:
            sentence = Bilingual(
                "لا رسالة مما طلبته يعاد إرسالها. ما ينتظر يُرسل دون طلب.",
                "No message fits. Those that wait are delivered anyway.",
            )
            raise NotAllowedNow("nothing-to-redeliver", sentence)
        if agency is not None and len(ids) > REDELIVERED_MAX:
            raise limit_reached(REDELIVERED_MAX, Bilingual("اطلب مدة أقصر.", "ask for a shorter span of time."))
    return Redelivered(endpoint_id=endpoint_id, messages=tuple(ids))


async def add_copies(
    connection: Connection, endpoint_id: str, wanted: Wanted, copies_max: int | None = None
) -> list[int]:
    """Copies of the messages that no longer wait, at most so many; their ids. In the caller's transaction.

    They are marked as replays, and have the ids that receivers know.
    """
    given = (wanted.message_id, wanted.since, wanted.until, copies_max)
    rows = await connection.fetch(_SQL["redeliver"], endpoint_id, *given, timeout=None)
    return [row["message_id"] for row in rows]


async def attempts_of(
    connection: Connection, agency: str | None, endpoint_id: str, message_id: int | None, limit: int
) -> list[Attempt]:
    """The newest attempts to deliver to an agency's webhook. `answer` is its first KiB as text. Raises `NotFound`."""
    await _owner(connection, agency, endpoint_id)
    rows = await connection.fetch(_SQL["attempts"], endpoint_id, message_id, limit)
    return [document_of(Attempt, row, answer=(row["answer"] or b"").decode("utf-8", "replace")) for row in rows]


async def webhooks_of(connection: Connection, agency: str | None) -> list[WebhookAndMessages]:
    """The webhooks of one agency, or of all, and how each does; its messages are counted up to `COUNT_MAX` + 1."""
    return documents_of(WebhookAndMessages, await connection.fetch(_SQL["webhooks"], agency, COUNT_MAX + 1))


async def endpoints_of(
    connection: Connection,
    agency: str | None,
    team: str | None = None,
    *,
    ended: bool = False,
    after: str = "",
    limit: int | None = None,
) -> list[WebhookAndSecrets]:
    """Webhooks by id, with the kinds of their active secrets; `ended`: also those that their team disabled."""
    rows = await connection.fetch(SQL["endpoints"], agency, team, ended, after, limit)
    return [document_of(WebhookAndSecrets, row, secrets=row["secrets"] or []) for row in rows]


async def open_endpoints(connection: Connection, agency: str, team: str) -> Sequence[str]:
    """The ids of a team's webhooks that are not disabled, oldest first."""
    return [row["endpoint_id"] for row in await connection.fetch(SQL["open_endpoints"], agency, team)]


async def _require_room(connection: Connection, agency: str, team: str) -> None:
    if await connection.fetchval(SQL["endpoints_count"], agency, team) >= ENDPOINTS_MAX:
        sentence = Bilingual("عطّل ويب هوك لا تحتاج إليه.", "disable a webhook that is not needed.")
        raise limit_reached(ENDPOINTS_MAX, sentence)


async def _require_open(connection: Connection, agency: str, team: str, endpoint_id: str) -> None:
    if endpoint_id not in await open_endpoints(connection, agency, team):
        sentence = Bilingual("الويب هوك {} معطل: فعّله أولاً.", "The webhook {} is disabled: enable it first.")
        raise NotAllowedNow("disabled", sentence.format(endpoint_id))


async def _owner(connection: Connection, agency: str | None, endpoint_id: str) -> tuple[str, str]:
    row = await connection.fetchrow(SQL["endpoint"], endpoint_id, agency)
    if row is None:
        raise NotFound(f"there is no webhook {endpoint_id}: see `yesser webhooks list`.")
    return row["agency"], row["team"]


async def _add_secrets(connection: Connection, endpoint_id: str, *, first: int) -> ShownOnce:
    key = await public_key(connection)
    shared, signing = new_secret("v1"), new_secret("v1a")
    for secret_id, made in enumerate((shared, signing), first):
        sealed = seal(key, endpoint_id, secret_id, made.secret)
        await connection.execute(SQL["add_secret"], endpoint_id, secret_id, made.kind, sealed)
    return ShownOnce(endpoint_id, shared.shown, signing.shown)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(length))
