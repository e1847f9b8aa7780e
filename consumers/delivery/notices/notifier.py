"""A part of the delivery process that sends notices of problems to an agency's engineers.

Flows in: refusals, anomalies of each consumer, stopped topics, what expires, what the agency expects; subscriptions.
Flows out: notices and their messages, in the transaction that records what they are about: a restart, a rebuild or a
replay sends nothing twice. A subscription gets no notice of what was before it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from msgspec import UNSET, to_builtins

from consumers.delivery import delivery_lease
from consumers.delivery.notices.moments import WARNED_DAYS, Window, item_of, next_wait, warning
from consumers.delivery.notices.read import SQL, silences
from consumers.delivery.routing.matching import NewMessage, Subscription, notice_messages
from consumers.delivery.routing.router import Subscriptions, add_messages
from consumers.delivery.sending.messages import database_now
from consumers.documents.teams.notices import NOTICE_NAMES, Notice, NoticeItem
from events.values.bilingual import Bilingual
from infra.keys.team_seals import TeamSeals
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings

LOOK_EVERY_S: Final = 5.0
SILENCE_EVERY: Final = timedelta(minutes=1)
ENTRIES_MAX: Final = 100_000
"""Most entries of a round."""
ITEMS_SHOWN: Final = 5
CONSUMERS: Final = ("projections", "campaigns", "revenue")
"""Each has anomalies of its own."""
READ_AT: Final[dict[str, tuple[str, str | None]]] = {
    "notice.refusal": ("/v1/refusals?open=true", "/workspace/refusals"),
    "notice.anomaly": ("/v1/anomalies", "/audit/anomalies"),
    **dict.fromkeys(("notice.pause", "notice.halt", "notice.resumed"), ("/v1/receipts?since=0", "/workspace")),
    "notice.credential": ("/docs/gateway", "/workspace/tokens"),
    "notice.certificate": ("/docs/tls", None),
    "notice.silence": ("/v1/expectations", "/workspace/expected"),
}
"""Where all that a notice is about is read: at the gateway, and in the console, which shows no certificates."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that began, ended or is due, under a name that it has once. `ends`: the types of what it ends, whose
    subscribers get its notice too."""

    agency: str
    type: str
    name: str
    shown: NoticeItem
    ends: Collection[str] = ()


async def notify(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """Tell what is new, until the term's `stop`."""
    async with term.connected(settings, "delivery notices") as connection:
        notifier = Notifier(connection, term.epoch, settings, Subscriptions(partial(TeamSeals.of, settings)))
        while not term.stop.is_set():
            await notifier.round()
            round_ended()
            await pause(term.stop, min(LOOK_EVERY_S, settings.notice_window_s))


@dataclass(slots=True)
class Notifier:
    """The notices of one term."""

    connection: Connection
    epoch: int
    settings: Settings
    subscriptions: Subscriptions
    _looked_at: datetime | None = None
    """When it was last looked for what has not come."""

    async def round(self, now: datetime | None = None) -> None:
        """Tell what is due at a time, by default that of the database. Raises `Fenced`."""
        async with self.connection.transaction():
            await delivery_lease.hold(self.connection, self.epoch)
            await self.connection.execute(SQL["lock_routing"])
            now = now or await database_now(self.connection)
            subscriptions = [
                each
                for each in await self.subscriptions.read(self.connection)
                if not set(NOTICE_NAMES).isdisjoint(each.types or ())
            ]
            await self._gather(sorted({each.agency for each in subscriptions}), now)
            messages = await self._window_notices(subscriptions, now) + await self._item_notices(subscriptions, now)
            await add_messages(self.connection, messages)

    async def _gather(self, agencies: Sequence[str], now: datetime) -> None:
        """Take what is new into the agencies' windows. Where nothing was read before, it begins now."""
        for row in await self.connection.fetch(SQL["reads"], list(CONSUMERS)):
            source, size, first = row["source"], row["size"], row["next_index"]
            end = size if first is None else min(size, first + ENTRIES_MAX)
            if first is not None and end > first:
                query = await self._query(source, "new_refusals", "new_anomalies")
                for new in await self.connection.fetch(query, first, end, agencies):
                    wait = timedelta(seconds=self.settings.notice_window_s)
                    counts = (new["items"], new["first_index"], new["last_index"])
                    await self.connection.execute(SQL["gather"], new["agency"], source, *counts, now, wait)
            if first is None or end > first:
                await self.connection.execute(SQL["move"], source, end)

    async def _window_notices(self, subscriptions: Sequence[Subscription], now: datetime) -> list[NewMessage]:
        messages: list[NewMessage] = []
        for row in await self.connection.fetch(SQL["windows"]):
            window = Window(*row)
            if not window.is_due(now):
                continue
            query = await self._query(window.source, "refusals", "anomalies")
            shown = await self.connection.fetch(
                query, window.agency, window.first_index, window.last_index, ITEMS_SHOWN
            )
            items = [NoticeItem(**{name: value or UNSET for name, value in each.items()}) for each in shown]
            about = (window.agency, window.type, window.notice_id)
            messages += await self._add(*about, window.items, items, window.last_index, subscriptions, now)
            wait = next_wait(window, timedelta(seconds=self.settings.notice_window_s))
            await self.connection.execute(SQL["close_window"], window.agency, window.source, wait, now)
        return messages

    async def _item_notices(self, subscriptions: Sequence[Subscription], now: datetime) -> list[NewMessage]:
        """Those of an agency and type that are new now are one notice."""
        items = [*await self._stopped(now), *await self._expiring(now), *await self._silent(now)]
        columns = ([each.agency for each in items], [each.type for each in items], [each.name for each in items])
        new = {tuple(row) for row in await self.connection.fetch(SQL["note"], *columns)}
        groups: dict[tuple[str, str], list[Item]] = {}
        for item in items:
            if (item.agency, item.type, item.name) in new:
                groups.setdefault((item.agency, item.type), []).append(item)
        messages: list[NewMessage] = []
        for (agency, name), group in groups.items():
            notice_id = f"{name}.{agency}.{now:%Y%m%dT%H%M%S}"
            shown = [item.shown for item in group[:ITEMS_SHOWN]]
            ends = group[0].ends
            messages += await self._add(agency, name, notice_id, len(group), shown, None, subscriptions, now, ends)
        return messages

    async def _stopped(self, now: datetime) -> list[Item]:
        rows = await self.connection.fetch(SQL["stopped"])
        ended = await self.connection.fetch(SQL["end_stops"], [row["agency"] for row in rows])
        return [*stopped_items(rows), *(resumed_item(row, now) for row in ended)]

    async def _expiring(self, now: datetime) -> list[Item]:
        found = []
        for row in await self.connection.fetch(SQL["expiring"], now, max(WARNED_DAYS)):
            days = warning(row["created_at"], row["expires_at"], now)
            if days is not None:
                name = "key_id" if row["type"] == "notice.credential" else "serial"
                shown = NoticeItem(expires_at=row["expires_at"], **{name: row["name"]})
                found.append(Item(row["agency"], row["type"], f"{row['name']}.{days}", shown))
        return found

    async def _silent(self, now: datetime) -> list[Item]:
        found: list[Item] = []
        if self._looked_at is not None and timedelta() <= now - self._looked_at < SILENCE_EVERY:
            return found
        self._looked_at = now
        for expected, period in await silences(self.connection, self.settings, now):
            if period is not None:
                last = UNSET if expected.last_index is None else expected.last_index
                shown = NoticeItem(
                    expectation_id=expected.expectation_id,
                    type=expected.type,
                    subject=expected.subject or UNSET,
                    since=period.since,
                    due_at=period.due_at,
                    last_index=last,
                )
                found.append(Item(expected.agency, "notice.silence", item_of(expected, period), shown))
        return found

    async def _add(
        self,
        agency: str,
        name: str,
        notice_id: str,
        count: int,
        items: Iterable[NoticeItem],
        last_index: int | None,
        subscriptions: Sequence[Subscription],
        now: datetime,
        ends: Collection[str] = (),
    ) -> list[NewMessage]:
        """The messages of a notice, which is kept if there are any."""
        wanting = [each for each in subscriptions if not {name, *ends}.isdisjoint(each.types or ())]
        messages = [*notice_messages(name, notice_id, agency, last_index, wanting)]
        if messages:
            gateway, console = READ_AT[name]
            base = self.settings.mailed_console
            notice = Notice(
                agency=agency,
                count=count,
                items=tuple(items),
                gateway=self.settings.gateway_address + gateway,
                console=None if base is None or console is None else base + console,
            )
            await self.connection.execute(SQL["add"], notice_id, agency, name, now, to_builtins(notice))
        return messages

    async def _query(self, source: str, of_log: str, of_consumer: str) -> str:
        """The query for a source, whose tables are found until the end of the transaction."""
        if source == "log":
            return SQL[of_log]
        await self.connection.execute("SELECT set_config('search_path', $1, true)", source)
        return SQL[of_consumer]


def resumed_item(row: Mapping[str, Any], now: datetime) -> Item:
    """The end of a pause or a halt, or of one after the other."""
    name, shown = f"{row['since']:%Y%m%dT%H%M%S.%f}", NoticeItem(since=row["since"], until=now)
    return Item(row["agency"], "notice.resumed", name, shown, ends=row["types"])


def stopped_items(rows: Iterable[Mapping[str, Any]]) -> Iterator[Item]:
    """The halts and pauses of topics. A pause has no name of its own: it is one until the topic is not paused."""
    for row in rows:
        if row["halted_reason"] is not None:
            # The operator's sentence names offsets and commands: the agency gets the time alone.
            shown = NoticeItem(since=row["halted_at"])
            yield Item(row["agency"], "notice.halt", f"{row['halted_at']:%Y%m%dT%H%M%S.%f}", shown)
        elif row["paused_until"] is not None:
            shown = NoticeItem(until=row["paused_until"], reason=Bilingual(**row["paused_reason"]))
            yield Item(row["agency"], "notice.pause", "now", shown)
