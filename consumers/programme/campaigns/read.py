"""Reads the campaigns consumer's tables as documents (events.md §5). `search_path` selects the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from consumers.documents.campaigns import campaigns as documents
from consumers.documents.document import document_of, documents_of
from consumers.documents.programme.plan import Awareness
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.programme.campaigns.filters import CampaignFilter, Subscription, today_at
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import View, view
from events.values.calendar import FIRST_DATE, LAST_DATE, hijri_of
from events.wire.entry import Entry, parse_entry
from infra.clock import utc_now
from infra.log.texts import shown_entries
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

_SQL: Final = queries("consumers.programme.campaigns", "read.sql")
_COUNTS: Final = _SQL["counts"].replace(":campaigns", _SQL["campaigns"])
HISTORY_MAX: Final = 1_000

Row = Mapping[str, Any]
D = TypeVar("D", bound=documents.Campaign)


async def awareness(connection: Connection) -> Awareness:
    """The `awareness` of `yesser plan`."""
    (row,) = await connection.fetch(_SQL["awareness"])
    return Awareness(
        launched_services=row["launched_services"],
        aired=document_of(documents.OnChannels, row),
        on_all_three=row["on_all_three"],
        general_campaigns=row["general_campaigns"],
        reach=int(row["reach"]),
    )


async def campaigns(connection: Connection, chosen: CampaignFilter, document: type[D]) -> list[D]:
    """The rows of `yesser campaigns list` (`Campaign`) or of `yesser campaigns inbox` (`InboxItem`)."""
    rows = await connection.fetch(_SQL["campaigns"], None, *chosen.arguments())
    return [_campaign(document, row) for row in rows]


async def counts(connection: Connection, chosen: CampaignFilter) -> documents.InboxCounts:
    """Of the campaigns that match."""
    (row,) = await connection.fetch(_COUNTS, None, *chosen.arguments())
    return document_of(documents.InboxCounts, row)


async def team_subscriptions(connection: Connection, agency: str, team: str) -> list[Subscription] | None:
    """What the team wants; None if the agency has no such team."""
    if await connection.fetchval(_SQL["team"], agency, team) is None:
        return None
    return [dict(row) for row in await connection.fetch(_SQL["subscriptions"], agency, team)]


async def campaign(view: View, campaign_id: str) -> documents.CampaignAndHistory | None:
    """A campaign, or None. The view shows `CONSUMER`."""
    connection = await view.use(CONSUMER)
    row = await connection.fetchrow(_SQL["campaigns"], campaign_id, *CampaignFilter("").arguments())
    if row is None:
        return None
    airings = documents_of(documents.Airing, await connection.fetch(_SQL["airings"], campaign_id))
    history, is_whole = await _history(connection, row)
    return _campaign(documents.CampaignAndHistory, row, airings=airings, history=history, more_history=not is_whole)


async def campaigns_at(
    settings: Settings, at: PointInTime | int | None = None, chosen: CampaignFilter | None = None
) -> list[documents.Campaign]:
    """The rows now, or as of a point in time or index; all campaigns by id without a filter."""
    async with view(settings, [CONSUMER], at) as state:
        chosen = chosen or CampaignFilter(today_at(PointInTime(), utc_now()))
        return await campaigns(await state.use(CONSUMER), chosen, documents.Campaign)


async def inbox_now(settings: Settings, agency: str, team: str | None, today: str) -> list[documents.InboxItem] | None:
    """The rows; None where the agency has no such team."""
    async with view(settings, [CONSUMER]) as state:
        connection = await state.use(CONSUMER)
        wanted = None if team is None else await team_subscriptions(connection, agency, team)
        if team is not None and wanted is None:
            return None
        chosen = CampaignFilter(today, agency, "open", sort="due", subscriptions=wanted)
        return await campaigns(connection, chosen, documents.InboxItem)


async def campaign_at(settings: Settings, campaign_id: str, at: PointInTime) -> documents.CampaignAndHistory | None:
    """A campaign, or None."""
    async with view(settings, [CONSUMER], at) as state:
        return await campaign(state, campaign_id)


def hijri(on: str) -> str | None:
    """The Umm al-Qura date, or None outside its table."""
    return hijri_of(on) if FIRST_DATE <= on <= LAST_DATE else None


def shown_history(took_effect: Sequence[int], anomalies: Iterable[int]) -> list[int]:
    """The entries that a history shows, in log order: those that took effect, and the newest of the others while there
    is room. Otherwise any agency could crowd out what happened by events that change nothing."""
    left = max(0, HISTORY_MAX - len(took_effect))
    return sorted([*took_effect, *sorted(anomalies, reverse=True)[:left]])


def _campaign(document: type[D], row: Row, **further: Any) -> D:
    # A sum of bigint is a decimal.
    return document_of(document, row, reach=int(row["reach"]), due_on_hijri=hijri(row["due_on"]), **further)


async def _history(connection: Connection, row: Row) -> tuple[list[documents.CampaignStep], bool]:
    """The entries about the campaign, in log order, and whether these are all. One that changed nothing names its
    anomaly rule."""
    most = HISTORY_MAX + 1
    took_effect = [index for (index,) in await connection.fetch(_SQL["took_effect"], row["campaign_id"], most)]
    found = await connection.fetch(_SQL["anomalies_of"], f"campaign/{row['campaign_id']}", most)
    anomalies = {anomaly["index"]: anomaly["rule"] for anomaly in found}
    shown = shown_history(took_effect[:HISTORY_MAX], anomalies)
    entries = await shown_entries(connection, shown)
    steps = [_step(parse_entry(index, raw), anomalies.get(index), row["owner"]) for index, raw in entries]
    return steps, len(shown) == len(took_effect) + len(anomalies)


def _step(entry: Entry, anomaly: str | None, owner: str) -> documents.CampaignStep:
    data = entry.data if entry.agency == owner else {}
    reported = {name: data.get(name) for name in ("by", "airing_id", "channel", "reach", "reason")}
    about = {"index": entry.index, "recorded": entry.recorded, "type": entry.type, "agency": entry.agency}
    return document_of(documents.CampaignStep, reported | about, anomaly=anomaly)
