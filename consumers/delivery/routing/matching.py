"""Decides which subscriptions get an entry about a campaign. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

EventName = Literal[
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
KINDS: Final[dict[str, str]] = {name: name.rpartition(".")[2].removeprefix("campaign-") for name in get_args(EventName)}
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
    """An entry for one subscription."""

    subscription: Subscription
    entry: CampaignEntry
    replay: bool

    @property
    def kind(self) -> str:
        return KINDS[self.entry.type]

    @property
    def event_id(self) -> str:
        """The same for an entry whenever it is routed."""
        return f"i{self.entry.index}"

    @property
    def lane(self) -> str:
        """Messages of one lane go in order: those about a service, else about a campaign. Replays hold up no other."""
        entry = self.entry
        lane = f"campaign/{entry.campaign_id}" if entry.service_id is None else f"service/{entry.service_id}"
        return lane + "/replay" if self.replay else lane


def new_messages(
    entries: Iterable[CampaignEntry], subscriptions: Collection[Subscription], *, replay: bool = False
) -> Iterator[NewMessage]:
    """The messages for these entries, in their order. An endpoint gets an entry once, however many subscriptions of its
    ask for it."""
    by_owner: dict[str, list[Subscription]] = {}
    for subscription in subscriptions:
        by_owner.setdefault(subscription.agency, []).append(subscription)
    for entry in entries:
        given: set[str] = set()
        for subscription in by_owner.get(entry.owner, ()):
            if not wants(subscription, entry, replay=replay) or subscription.endpoint_id in given:
                continue
            if subscription.endpoint_id is not None:
                given.add(subscription.endpoint_id)
            yield NewMessage(subscription, entry, replay)


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
