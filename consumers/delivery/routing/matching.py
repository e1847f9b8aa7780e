"""Decides which subscriptions get an entry about a campaign, or a notice. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from consumers.documents.teams.notices import NoticeName

CampaignEventName = Literal[
    "campaign.triggered",
    "campaign.escalated",
    "campaign.paused",
    "campaign.resumed",
    "awareness.campaign-acknowledged",
    "awareness.campaign-aired",
    "awareness.campaign-airing-corrected",
    "awareness.campaign-completed",
]
"""The types of entries that are delivered."""
EventName = Literal[CampaignEventName, NoticeName]
"""What a subscription may name."""
KINDS: Final[dict[str, str]] = {
    name: name.rpartition(".")[2].removeprefix("campaign-") for name in get_args(CampaignEventName)
}
"""What their messages are called: `triggered`, `acknowledged`."""
BY_DEFAULT: Final = frozenset(KINDS) - {"awareness.campaign-aired", "awareness.campaign-airing-corrected"}
"""What a subscription gets that names no types."""


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """An entry about a campaign that took effect."""

    index: int
    campaign_id: str
    type: str
    owner: str
    service_id: str | None
    rule: str
    channels: Collection[str]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a team wants by which route; None in a filter means all. `is_disabled`: its endpoint is."""

    subscription_id: int
    agency: str
    team: str
    route: str
    endpoint_id: str | None
    rules: Collection[str] | None
    services: Collection[str] | None
    channels: Collection[str] | None
    types: Collection[str] | None
    from_index: int
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message for one subscription. `event_id`: the same whenever it is made. Messages of one lane go in order."""

    subscription: Subscription
    kind: str
    event_id: str
    lane: str
    log_index: int | None = None
    campaign_id: str | None = None
    replay: bool = False


def new_messages(
    entries: Iterable[CampaignEntry], subscriptions: Collection[Subscription], *, replay: bool = False
) -> Iterator[NewMessage]:
    """The messages for these entries, in their order. An endpoint gets an entry once, however many subscriptions of its
    ask for it."""
    by_owner: dict[str, list[Subscription]] = {}
    for subscription in subscriptions:
        by_owner.setdefault(subscription.agency, []).append(subscription)
    for entry in entries:
        lane = f"campaign/{entry.campaign_id}" if entry.service_id is None else f"service/{entry.service_id}"
        lane += "/replay" if replay else ""  # replays hold up no other
        for subscription in _once(each for each in by_owner.get(entry.owner, ()) if wants(each, entry, replay=replay)):
            about = (f"i{entry.index}", lane, entry.index, entry.campaign_id, replay)
            yield NewMessage(subscription, KINDS[entry.type], *about)


def notice_messages(
    name: str, notice_id: str, agency: str, last_index: int | None, subscriptions: Iterable[Subscription]
) -> Iterator[NewMessage]:
    """The messages for a notice to an agency, of the subscriptions that want its type. `last_index`: of the last entry
    that it is about; it is not for who subscribed later."""
    own = (each for each in subscriptions if each.agency == agency)
    for subscription in _once(each for each in own if last_index is None or last_index >= each.from_index):
        yield NewMessage(subscription, name, notice_id, name)


def _once(subscriptions: Iterable[Subscription]) -> Iterator[Subscription]:
    """One for each endpoint, and those without one."""
    given: set[str] = set()
    for subscription in subscriptions:
        if subscription.endpoint_id is None:
            yield subscription
        elif subscription.endpoint_id not in given:
            given.add(subscription.endpoint_id)
            yield subscription


def wants(subscription: Subscription, entry: CampaignEntry, *, replay: bool) -> bool:
    """Whether the filters let the entry pass. A replay is of entries from before the subscription."""
    types = BY_DEFAULT if subscription.types is None else subscription.types
    return (
        entry.type in KINDS
        and entry.type in types
        and (replay or entry.index >= subscription.from_index)
        and entry.owner == subscription.agency
        and (subscription.rules is None or entry.rule in subscription.rules)
        and (subscription.services is None or entry.service_id in subscription.services)
        and (subscription.channels is None or not set(subscription.channels).isdisjoint(entry.channels))
    )
