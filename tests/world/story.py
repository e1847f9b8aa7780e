"""A log of campaigns, told line by line and folded in memory.

`Story().launch("S")` adds an entry, recorded at the story's time, and applies it. What the consumer decides waits in
`outbox` until `come_back` puts it into the log, as the relay and the registrar would.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from consumers.programme.campaigns.consumer import campaigns_consumer
from consumers.programme.campaigns.rows import AIRING, CAMPAIGN, COVERAGE, Campaign
from consumers.programme.campaigns.rules.in_force import release_rules
from consumers.programme.campaigns.rules.rule import RuleSet
from consumers.replay.fold.anomaly import ANOMALY
from infra.postgres.outbox import OutboxEvent, event_bytes
from tests.oracle.log import JsonObject
from tests.world.entries import EventLog
from tests.world.memory_store import MemoryStore

_TOLD = ("group-completed", "initiative-announced", "quota-met", "service-launched")
"""The stories count campaigns: a further rule of the release is not theirs."""
RULES = RuleSet(tuple(rule for rule in release_rules().rules if rule.name in _TOLD))
_CONSUMER = campaigns_consumer(lambda: RULES)


def text(en: str) -> JsonObject:
    return {"ar": f"«{en}»", "en": en}


def targets(one: int = 0, two: int = 0, three: int = 0) -> JsonObject:
    return {"infrastructure_projects": 0, "national_applications": 0, "services": {"1": one, "2": two, "3": three}}


class Story(EventLog):
    """`at` is in UTC; 2026-11-01 is a Sunday."""

    at: str

    def __init__(self, at: str = "2026-11-01T08:00:00.000000Z") -> None:
        super().__init__()
        self.at = at
        self.store = MemoryStore()
        self.outbox: list[OutboxEvent] = []
        for code, role in (("platform", "platform"), ("yesser", "office")):
            self.tell("platform", "registry.agency-registered", code=code, role=role, name=text(code))

    def add(self, event: JsonObject) -> int:
        index = super().add(event)
        self.outbox += self.store.apply(_CONSUMER, self.entries[index:])
        return index

    def append(self, event: bytes) -> int:
        return self.add(orjson.loads(event))

    def come_back(self) -> list[str]:
        """Everything in the outbox becomes an entry; the ids, in order."""
        ids = []
        while self.outbox:
            event = self.outbox.pop(0)
            ids.append(event.id)
            self.append(event_bytes(event))
        return ids

    # What agencies say.

    def register(self, service: str, agency: str = "health", group: int = 1, plan: str = "P") -> int:
        data = {"service_id": service, "plan_id": plan, "group": group, "name": text(service)}
        return self.tell(agency, "service.registered", **data)

    def launch(self, service: str, agency: str = "health") -> int:
        data = {"service_id": service, "on": "2026-11-01", "channels": ["web"]}
        return self.tell(agency, "service.launched", **data)

    def change(self, what: str, service: str, agency: str = "health") -> int:
        """`suspended`, `resumed` or `retired`."""
        data: JsonObject = {"service_id": service, "on": "2026-11-01"}
        if what != "resumed":
            data["reason"] = text("Maintenance")
        return self.tell(agency, f"service.{what}", **data)

    def announce(self, initiative: str, agency: str = "health") -> int:
        data = {"initiative_id": initiative, "name": text(initiative), "aim": text("To reach all"), "on": "2026-11-01"}
        return self.tell(agency, "awareness.initiative-announced", **data)

    def adopt(self, plan: str = "P", **groups: int) -> int:
        data = {"plan_id": plan, "name": text(plan), "starts_on": "2006-01-01", "ends_on": "2010-12-31"}
        return self.tell("yesser", "plan.adopted", **data, targets=targets(**groups))

    def amend(self, plan: str = "P", **groups: int) -> int:
        data = {"plan_id": plan, "targets": targets(**groups), "reason": text("Review")}
        return self.tell("yesser", "plan.amended", **data)

    def set_quota(self, seats: int, year: int = 2026, calendar: str = "gregorian", track: str = "usage") -> int:
        data = {"calendar": calendar, "year": year, "track": track, "seats": seats}
        return self.tell("yesser", "training.quota-set", **data)

    def certify(self, certificate: str, on: str = "2026-05-01", track: str = "usage", agency: str = "health") -> int:
        trainee = "trn_" + "a" * 16
        data = {"certificate_id": certificate, "trainee": trainee, "track": track, "on": on, "employer": agency}
        return self.tell(agency, "training.certified", **data)

    def revoke(self, certificate: str, agency: str = "health") -> int:
        trainee = "trn_" + "a" * 16
        data = {"certificate_id": certificate, "trainee": trainee, "on": "2026-06-01", "reason": text("Error")}
        return self.tell(agency, "training.revoked", **data)

    def acknowledge(self, campaign: str, agency: str = "health") -> int:
        data = {"campaign_id": campaign, "by": "desk", "on": "2026-11-01"}
        return self.tell(agency, "awareness.campaign-acknowledged", **data)

    def complete(self, campaign: str, agency: str = "health") -> int:
        data = {"campaign_id": campaign, "on": "2026-11-01"}
        return self.tell(agency, "awareness.campaign-completed", **data)

    def air(self, campaign: str, airing: str, channel: str, reach: int = 1, agency: str = "health") -> int:
        data = {
            "campaign_id": campaign,
            "airing_id": airing,
            "channel": channel,
            "outlet": text("One"),
            "on": "2026-11-01",
            "reach": reach,
        }
        return self.tell(agency, "awareness.campaign-aired", **data)

    def correct(self, campaign: str, airing: str, reach: int, agency: str = "health") -> int:
        data = {
            "campaign_id": campaign,
            "airing_id": airing,
            "reach": reach,
            "on": "2026-11-02",
            "reason": text("Typo"),
        }
        return self.tell(agency, "awareness.campaign-airing-corrected", **data)

    # What became of it.

    def campaign(self, campaign_id: str) -> Campaign:
        return next(row for row in self.store.rows(CAMPAIGN) if row.campaign_id == campaign_id)

    def in_log(self) -> list[str]:
        """The campaigns that exist for everybody."""
        return [row.campaign_id for row in self.store.rows(CAMPAIGN) if row.triggered_index is not None]

    def paused(self, campaign_id: str) -> bool:
        campaign = self.campaign(campaign_id)
        suspended = {row.service_id for row in self.store.rows(COVERAGE) if row.suspended_from is not None}
        return campaign.completed_index is None and campaign.service_id in suspended

    def reach(self, campaign_id: str) -> int:
        return sum(row.reach for row in self.store.rows(AIRING) if row.campaign_id == campaign_id)

    def anomalies(self) -> list[tuple[int, str]]:
        return [(row.index, row.rule) for row in self.store.rows(ANOMALY)]

    def rows(self, kind: Any) -> list[JsonObject]:
        return [asdict(row) for row in self.store.rows(kind)]


def launched(at: str | None = None, *, in_log: bool = True) -> tuple[Story, str]:
    """Service S of agency health is launched, and its campaign is in the log, or still in the outbox."""
    story = Story()
    story.register("S")
    story.at = at or story.at
    campaign = f"service-launched.i{story.launch('S')}"
    if in_log:
        story.come_back()
    return story, campaign
