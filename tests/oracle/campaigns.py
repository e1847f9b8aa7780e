"""Awareness campaigns (§6): which ones are due, and what became of those that are in the log.

A campaign is *due* from the entry at which its cause takes effect; it is *known* to agencies, and has an owner to
answer for it, from its `campaign.triggered` entry on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from tests.oracle.calendars import riyadh_date, working_days_from, working_days_later
from tests.oracle.findings import Effect, Finding, verdict
from tests.oracle.log import EntryDict, JsonObject, make_event, sender, short_type
from tests.oracle.world import World

CHANNELS = ["tv", "radio", "print"]
WORKING_DAYS = 10
DUE_FIELDS = ("campaign_id", "rule", "kind", "cause_index", "owner", "service_id", "channels")


@dataclass
class Campaign:
    """One campaign, due or triggered."""

    campaign_id: str
    rule: str
    kind: str
    cause_index: int
    owner: str
    service_id: str | None
    due_on: date
    channels: list[str] = field(default_factory=lambda: list(CHANNELS))
    triggered: bool = False
    acknowledged: bool = False
    completed: bool = False
    escalated: bool = False
    airings: dict[str, str] = field(default_factory=dict)
    reaches: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> str:
        if self.completed:
            return "completed"
        return "acknowledged" if self.acknowledged else "triggered"

    def judge(self, name: str, data: JsonObject) -> str | None:
        """Apply what its owner says."""
        if name == "awareness.campaign-acknowledged":
            if self.acknowledged:
                return "already-acknowledged"
            self.acknowledged = True
        elif name == "awareness.campaign-completed":
            if self.completed:
                return "already-completed"
            self.completed = True
        elif name == "awareness.campaign-airing-corrected":
            if data["airing_id"] not in self.airings:
                return "unknown-airing"
            self.reaches[data["airing_id"]] = data["reach"]
        else:
            if data["airing_id"] in self.airings:
                return "already-aired"
            self.airings[data["airing_id"]] = data["channel"]
            self.reaches[data["airing_id"]] = data["reach"]
        return None

    @property
    def reach(self) -> int:
        return sum(self.reaches.values())

    def event(self) -> JsonObject:
        """The platform's `campaign.triggered` for it."""
        data: JsonObject = {
            "campaign_id": self.campaign_id,
            "rule": self.rule,
            "rules_version": 1,
            "cause_index": self.cause_index,
            "kind": self.kind,
            "owner": self.owner,
            "channels": self.channels,
            "due_on": self.due_on.isoformat(),
            "brief": {"ar": "حملة توعية", "en": "Awareness campaign"},
            "reason": {"ar": f"بسبب i{self.cause_index}", "en": f"Because of i{self.cause_index}"},
        }
        if self.service_id is not None:
            data["service_id"] = self.service_id
        subject = f"campaign/{self.campaign_id}"
        return make_event("campaign.triggered", "platform", subject, data, f"triggered.{self.campaign_id}")


@dataclass
class Campaigns:
    """All campaigns by id, and what the rules have to remember."""

    world: World
    office: str = "yesser"
    recorded: dict[int, str] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    launched: dict[tuple[str, int], int] = field(default_factory=dict)
    suspended_on: dict[str, date] = field(default_factory=dict)
    groups_done: set[tuple[str, int]] = field(default_factory=set)
    quotas_met: set[tuple[str, int, str]] = field(default_factory=set)

    def apply(self, entry: EntryDict, effects: list[Effect]) -> list[Finding]:
        """Judge an entry about a campaign, and evaluate the rules on what took effect in the world at this entry."""
        self.recorded[entry["index"]] = entry["recordedtime"]
        for applied in effects:
            self._see(applied)
        if effects:
            self._groups(entry)
            self._quotas(entry, effects)
        name = short_type(entry["event"])
        if name.startswith("campaign."):
            self._platform_says(name, entry)
        if not name.startswith("awareness.campaign-"):
            return []
        return [self._judge(name, entry)]

    def due(self) -> list[Campaign]:
        """Campaigns that have no `campaign.triggered` in the log yet, in the order of their causes."""
        return [campaign for campaign in self.campaigns.values() if not campaign.triggered]

    def is_paused(self, campaign: Campaign) -> bool:
        """Its service's last suspension has no later resumption, and it is not completed."""
        return campaign.service_id in self.suspended_on and not campaign.completed

    def _see(self, applied: Effect) -> None:
        data, name = applied.data, applied.name
        if name == "service.launched":
            service = self.world.owned.services[data["service_id"]]
            key = (service.plan_id, service.group)
            self.launched[key] = self.launched.get(key, 0) + 1
            self._trigger("service-launched", applied.index, "", applied.owner, data["service_id"])
        elif name == "service.suspended":
            self.suspended_on[data["service_id"]] = riyadh_date(applied.recorded)
        elif name == "service.resumed":
            self._resume(data["service_id"], riyadh_date(applied.recorded))
        elif name == "awareness.initiative-announced":
            self._trigger("initiative-announced", applied.index, "", applied.agency, None)

    def _trigger(self, rule: str, cause_index: int, suffix: str, owner: str, service_id: str | None) -> None:
        kind = "general" if service_id is None else "specific"
        due_on = working_days_later(riyadh_date(self.recorded[cause_index]), WORKING_DAYS)
        campaign_id = f"{rule}.i{cause_index}{suffix}"
        self.campaigns[campaign_id] = Campaign(campaign_id, rule, kind, cause_index, owner, service_id, due_on)

    def _resume(self, service_id: str, resumed_on: date) -> None:
        lost = working_days_from(self.suspended_on.pop(service_id), resumed_on)
        for campaign in self.campaigns.values():
            if campaign.service_id == service_id and not campaign.completed:
                campaign.due_on = working_days_later(campaign.due_on, lost)

    def _groups(self, entry: EntryDict) -> None:
        plans = self.world.plans
        if plans.shown is None:
            return
        for group in (1, 2, 3):
            target = plans.targets[plans.shown]["services"][str(group)]
            key = (plans.shown, group)
            if 0 < target <= self.launched.get(key, 0) and key not in self.groups_done:
                self.groups_done.add(key)
                self._trigger("group-completed", entry["index"], f".{group}", self.office, None)

    def _quotas(self, entry: EntryDict, effects: list[Effect]) -> None:
        training = self.world.training
        for cell in self._touched_cells(effects):
            seats = training.quotas.get(cell, 0)
            net = training.certified.get(cell, 0) - training.revoked.get(cell, 0)
            if 0 < seats <= net and cell not in self.quotas_met:
                self.quotas_met.add(cell)
                suffix = f".{cell[0]}-{cell[1]}-{cell[2]}"
                self._trigger("quota-met", entry["index"], suffix, self.office, None)

    def _touched_cells(self, effects: list[Effect]) -> list[tuple[str, int, str]]:
        """The quotas whose figures these effects can have changed."""
        cells: list[tuple[str, int, str]] = []
        for applied in effects:
            data = applied.data
            if applied.name == "training.quota-set":
                cells.append((data["calendar"], data["year"], data["track"]))
            elif applied.name == "training.certified":
                cells += self.world.training.certificates[applied.agency, data["certificate_id"]].cells()
        return cells

    def _platform_says(self, name: str, entry: EntryDict) -> None:
        data = entry["event"]["data"]
        campaign = self.campaigns.get(data["campaign_id"])
        if name == "campaign.triggered":
            if campaign is None:
                named = {field_name: data.get(field_name) for field_name in DUE_FIELDS}
                campaign = Campaign(due_on=date.fromisoformat(data["due_on"]), **named)
                self.campaigns[campaign.campaign_id] = campaign
            campaign.triggered = True
        elif name == "campaign.escalated" and campaign is not None:
            campaign.escalated = True

    def _judge(self, name: str, entry: EntryDict) -> Finding:
        data = entry["event"]["data"]
        campaign = self.campaigns.get(data["campaign_id"])
        if campaign is None or not campaign.triggered:
            return verdict(entry, "unknown-campaign")
        if campaign.owner != sender(entry["event"]):
            return verdict(entry, "not-owner")
        return verdict(entry, campaign.judge(name, data), campaign.owner)

    def rows(self) -> list[JsonObject]:
        """`yesser campaigns list`, of all that are due or triggered."""
        return [self._row(campaign) for _, campaign in sorted(self.campaigns.items())]

    def _row(self, campaign: Campaign) -> JsonObject:
        return {
            **{name: getattr(campaign, name) for name in DUE_FIELDS},
            "due_on": campaign.due_on.isoformat(),
            "state": campaign.state,
            "paused": self.is_paused(campaign),
            "escalated": campaign.escalated,
            "aired": {c: list(campaign.airings.values()).count(c) for c in CHANNELS},
            "reach": campaign.reach,
        }

    def awareness(self) -> JsonObject:
        """The `awareness` of `yesser plan`."""
        launched = {s.service_id for s in self.world.owned.services.values() if s.launched}
        seen: dict[str, set[str]] = {channel: set() for channel in CHANNELS}
        for campaign in self.campaigns.values():
            if campaign.kind == "specific" and campaign.service_id in launched:
                for channel in campaign.airings.values():
                    seen[channel].add(str(campaign.service_id))
        known = [c for c in self.campaigns.values() if c.triggered]
        return {
            "launched_services": len(launched),
            "aired": {channel: len(services) for channel, services in seen.items()},
            "on_all_three": len(set.intersection(*seen.values())),
            "general_campaigns": sum(c.kind == "general" for c in known),
            "reach": sum(c.reach for c in self.campaigns.values()),
        }
