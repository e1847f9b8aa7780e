"""The whole oracle: entries in order → plan, anomalies, balances, statements, transfers, campaigns.

`fold(entries)` for a finished list, `Oracle().apply(entry)` to go on entry by entry. Entry 0 need not be the first:
an entry's own `index` counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from tests.oracle.campaigns import Campaigns
from tests.oracle.findings import Anomaly, Effect
from tests.oracle.log import EntryDict, JsonObject, make_entry, short_type
from tests.oracle.revenue import Revenue, Transfer
from tests.oracle.world import World


@dataclass(frozen=True)
class Figures:
    """What the contract says that the commands print, at the end of the entries."""

    plan: JsonObject
    anomalies: list[Anomaly]
    balances: dict[str, dict[str, int]]
    statements: list[JsonObject]
    transfers: list[Transfer]
    campaigns: list[JsonObject]
    untriggered: list[str]

    def anomaly_rows(self) -> list[JsonObject]:
        """The anomalies as plain dictionaries, without `claimed` and `known`, which the contract leaves free."""
        return [asdict(anomaly) for anomaly in self.anomalies]


@dataclass
class Oracle:
    """The state after some entries."""

    world: World = field(default_factory=World)
    revenue: Revenue = field(default_factory=Revenue)
    campaigns: Campaigns = field(init=False)
    anomalies: list[Anomaly] = field(default_factory=list)
    log_index: int = 0
    refusals: int = 0
    offices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.campaigns = Campaigns(self.world)

    def apply(self, entry: EntryDict) -> None:
        """Apply the next entry."""
        name, data = short_type(entry["event"]), entry["event"]["data"]
        self.log_index = entry["index"] + 1
        self.refusals += name == "registrar.refused"
        if name == "registry.agency-registered" and data["role"] == "office":
            self.offices.append(data["code"])
            self.campaigns.office = self.offices[0]
        findings = self.world.apply(entry)
        effects = [finding for finding in findings if isinstance(finding, Effect)]
        findings += self.campaigns.apply(entry, effects)
        findings += self.revenue.apply(entry)
        self.anomalies += [finding for finding in findings if isinstance(finding, Anomaly)]

    def figures(self) -> Figures:
        """Everything that can be printed now."""
        return Figures(
            plan=self.plan(),
            anomalies=sorted(self.anomalies, key=lambda anomaly: (anomaly.found_index, anomaly.index)),
            balances=self.revenue.balances(),
            statements=self.revenue.statements(),
            transfers=list(self.revenue.transfers),
            campaigns=self.campaigns.rows(),
            untriggered=[campaign.campaign_id for campaign in self.campaigns.due()],
        )

    def plan(self) -> JsonObject:
        """`yesser plan`."""
        plans = self.world.plans
        targets = plans.targets[plans.shown] if plans.shown is not None else None
        services = {str(g): self._group(g, targets["services"][str(g)] if targets else 0) for g in (1, 2, 3)}
        training = self.world.training
        return {
            "log_index": self.log_index,
            "plan_id": plans.shown,
            "infrastructure": self._infrastructure(targets["infrastructure_projects"] if targets else 0),
            "national_applications": {
                "target": targets["national_applications"] if targets else 0,
                "projects": self._applications(),
            },
            "services": {"target": sum(group["target"] for group in services.values()), "groups": services},
            "training": [training.row(cell) for cell in sorted(training.quotas)],
            "awareness": self.campaigns.awareness(),
            "partnerships": self.revenue.plan_rows(),
            "anomalies": len(self.anomalies),
            "refusals": self.refusals,
        }

    def _infrastructure(self, target: int) -> JsonObject:
        shown = self.world.plans.shown
        projects = [
            project
            for project in self.world.owned.projects.values()
            if project.kind == "infrastructure" and project.plan_id == shown
        ]
        return {
            "target": target,
            "registered": len(projects),
            "completed": sum(project.completed for project in projects),
            "cancelled": sum(project.cancelled for project in projects),
        }

    def _applications(self) -> list[JsonObject]:
        shown = self.world.plans.shown
        return [
            {
                "project_id": project.project_id,
                "agency": project.owner,
                "phases": len(project.phases),
                "started": sum(state is not None for state in project.phases),
                "completed": project.phases.count("completed"),
                "cancelled": project.cancelled,
            }
            for _, project in sorted(self.world.owned.projects.items())
            if project.kind == "national-application" and project.plan_id == shown
        ]

    def _group(self, group: int, target: int) -> JsonObject:
        shown = self.world.plans.shown
        services = [
            service
            for service in self.world.owned.services.values()
            if service.group == group and service.plan_id == shown
        ]
        return {
            "target": target,
            "registered": len(services),
            "launched": sum(s.launched for s in services),
            "live": sum(s.launched and not s.suspended and not s.retired for s in services),
            "suspended": sum(s.suspended for s in services),
            "retired": sum(s.retired for s in services),
        }


def fold(entries: Iterable[EntryDict]) -> Figures:
    """Fold a whole log."""
    oracle = Oracle()
    for entry in entries:
        oracle.apply(entry)
    return oracle.figures()


def with_campaigns(entries: Iterable[EntryDict]) -> list[EntryDict]:
    """The entries, followed by a `campaign.triggered` for every campaign that is due and not in the log yet."""
    log, oracle = list(entries), Oracle()
    for entry in log:
        oracle.apply(entry)
    recorded = log[-1]["recordedtime"] if log else None
    log += [
        make_entry(oracle.log_index + number, campaign.event(), recorded)
        for number, campaign in enumerate(oracle.campaigns.due())
    ]
    return log
