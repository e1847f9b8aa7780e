"""Moves of a strategy about campaigns: the platform's triggers, and what their owners and others say of them."""

from __future__ import annotations

from tests.oracle.builder import AGENCIES, TEXT, Builder, Move
from tests.oracle.log import JsonObject
from tests.oracle.world_moves import DAY, once_move, service_move


def campaign_move(b: Builder) -> None:
    """The platform triggers what is due, or an agency speaks of a campaign: due, triggered or unknown."""
    due, campaigns = b.oracle.campaigns.due(), b.oracle.campaigns.campaigns
    if due and not b.sometimes(3):
        b.append(due[b.number(0, len(due) - 1)].event())
        return
    if not campaigns and not b.sometimes(6):
        moves: tuple[Move, ...] = (service_move, once_move)
        moves[b.number(0, 1)](b)
        return
    triggered = sorted(c.campaign_id for c in campaigns.values() if c.triggered)
    others = ("service-launched.i999999", *sorted(campaigns))
    campaign_id = b.pick(*triggered) if triggered and not b.sometimes(8) else b.pick(*others)
    campaign = campaigns.get(campaign_id)
    agency = b.pick("yesser", *AGENCIES) if campaign is None or b.sometimes(4) else campaign.owner
    verb = b.pick("aired", "aired", "aired", "acknowledged", "completed")
    data: JsonObject = {"campaign_id": campaign_id, "on": DAY}
    if verb == "aired":
        airing = {"airing_id": b.pick("A1", "A2", "A3", "A4"), "channel": b.pick("tv", "radio", "print")}
        data |= {**airing, "outlet": TEXT, "reach": b.number(0, 5)}
    elif verb == "acknowledged":
        data["by"] = "desk"
    b.tell(agency, (f"awareness.campaign-{verb}", f"campaign/{campaign_id}", data))
