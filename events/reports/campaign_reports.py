"""What a team reports about a campaign, as events with ids that a repeat gives again.

An action's bytes follow from its arguments alone: its id names the campaign (and the airing), and its time is the
beginning of its day in Riyadh. So the same command again is a duplicate and never a second fact.

`event_of` makes an event's bytes from any model of the catalogue: type and subject follow from the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from events.faults.model import L, Model
from events.types.awareness import (
    AwarenessCampaignAcknowledged,
    AwarenessCampaignAired,
    AwarenessCampaignAiringCorrected,
    AwarenessCampaignCompleted,
)
from events.types.catalogue import CATALOGUE, EventType
from events.values.fields import Channel
from events.wire.codec import build_event

Campaign = Mapping[str, Any]
"""A campaign as the read API gives it."""
Report = (
    AwarenessCampaignAcknowledged
    | AwarenessCampaignAired
    | AwarenessCampaignAiringCorrected
    | AwarenessCampaignCompleted
)
_DIGEST_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Action:
    """A report and the id of its event."""

    event_id: str
    data: Report

    @property
    def campaign_id(self) -> str:
        return self.data.campaign_id

    def event(self, agency: str) -> bytes:
        """The event's bytes, not validated."""
        return event_of(agency, self.data, self.event_id, f"{self.data.on}T00:00:00+03:00")

    def effective_index(self, campaign: Campaign) -> int | None:
        """The entry by which the campaign has what this action reports; None where it has not."""
        match self.data:
            case AwarenessCampaignAcknowledged():
                index: int | None = campaign["acknowledged_index"]
            case AwarenessCampaignCompleted():
                index = campaign["completed_index"]
            case AwarenessCampaignAired(airing_id=airing_id):
                index = next((row["index"] for row in campaign["airings"] if row["airing_id"] == airing_id), None)
            case AwarenessCampaignAiringCorrected(airing_id=airing_id, reach=reach):
                known = (airing_id, reach)
                found = (row for row in campaign["airings"] if (row["airing_id"], row["reach"]) == known)
                index = next(map(_last_entry, found), None)
        return index

    def is_in_effect(self, campaign: Campaign) -> bool:
        """Whether the campaign has what this action reports, from this desk and with these figures."""
        match self.data:
            case AwarenessCampaignAcknowledged(by=by):
                return bool(campaign["acknowledged_by"] == by)
            case AwarenessCampaignAired(airing_id=airing_id, channel=channel, on=on, reach=reach):
                airing = (airing_id, channel, on, reach)
                names = ("airing_id", "channel", "aired_on", "reach")
                return any(tuple(row[name] for name in names) == airing for row in campaign["airings"])
            case AwarenessCampaignAiringCorrected():
                return self.effective_index(campaign) is not None
        return campaign["completed_index"] is not None


def acknowledgement(campaign_id: str, by: str, on: str) -> Action:
    """`by` is a desk or a team, never a person."""
    data = AwarenessCampaignAcknowledged.model_construct(campaign_id=campaign_id, by=by, on=on)
    return Action(f"ack.{campaign_id}", data)


def completion(campaign_id: str, on: str) -> Action:
    return Action(f"complete.{campaign_id}", AwarenessCampaignCompleted.model_construct(campaign_id=campaign_id, on=on))


@dataclass(frozen=True, slots=True)
class Airing:
    """One airing. Without an id, an outlet airs once a day on a channel."""

    channel: Channel
    outlet: Mapping[str, str]
    reach: int
    on: str
    airing_id: str | None = None

    def id(self) -> str:
        """`tv-2026-11-26-3f2a9c1b`: the digits at the end are of the outlet's names."""
        if self.airing_id is not None:
            return self.airing_id
        names = "\0".join(self.outlet[language] for language in ("ar", "en"))
        return f"{self.channel}-{self.on}-{sha256(names.encode()).hexdigest()[:_DIGEST_LENGTH]}"


def airing_report(campaign_id: str, airing: Airing) -> Action:
    data = AwarenessCampaignAired.model_construct(
        campaign_id=campaign_id,
        airing_id=airing.id(),
        channel=airing.channel,
        outlet=L.model_construct(ar=airing.outlet["ar"], en=airing.outlet["en"]),
        on=airing.on,
        reach=airing.reach,
    )
    return Action(f"air.{campaign_id}.{airing.id()}", data)


def correction(campaign: Campaign, index: int, reach: int, reason: Mapping[str, str], on: str) -> Action:
    """Another reach for the airing of entry `index`. Raises `LookupError` where the campaign has no such airing.

    The id names the entry that is corrected, so that a later correction is another event.
    """
    for airing in campaign["airings"] or ():
        if airing["index"] == index:
            data = AwarenessCampaignAiringCorrected.model_construct(
                campaign_id=campaign["campaign_id"],
                airing_id=airing["airing_id"],
                reach=reach,
                on=on,
                reason=L.model_construct(ar=reason["ar"], en=reason["en"]),
            )
            return Action(f"correct.{data.campaign_id}.{data.airing_id}.i{_last_entry(airing)}", data)
    raise LookupError(index)


def _last_entry(airing: Mapping[str, Any]) -> int:
    """The entry that gave the airing its reach."""
    last: int = airing["index"] if airing["corrected_index"] is None else airing["corrected_index"]
    return last


_TYPES: Final[dict[type[Model], EventType]] = {row.model: row for row in CATALOGUE.values()}


def event_of(agency: str, data: Model, event_id: str, time: str, **attributes: str) -> bytes:
    """The canonical bytes, with their faults if there are any.

    `time` is RFC 3339 with offset; `attributes` are extensions (`hijridate` …).
    """
    # A member that was not given is absent; one given as null (such as a cap) is sent as null.
    content = data.model_dump(mode="json", exclude_unset=True)
    row = _TYPES[type(data)]
    return build_event(
        type=row.name,
        agency=agency,
        id=event_id,
        subject=row.subject.of(content),
        time=time,
        data=content,
        **attributes,
    )


def sender_kind(data: Model) -> str:
    """Who sends events of this model: the `sender` of its row in the catalogue."""
    return _TYPES[type(data)].sender
