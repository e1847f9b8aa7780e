"""The programme's plan: small logs that are folded through the projections, and the documents that readers get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consumers.documents.document import document_of
from consumers.documents.programme.plan import Pace, Plan
from consumers.programme.projections.consumer import CONSUMER
from consumers.replay.fold.anomaly import ANOMALY
from tests.oracle.fold import fold
from tests.world.entries import TEXT, EventLog
from tests.world.memory_store import MemoryStore

HANDLED = (
    "sa.gov.yesser.plan.",
    "sa.gov.yesser.project.",
    "sa.gov.yesser.service.",
    "sa.gov.yesser.training.",
    "sa.gov.yesser.partnership.workshop-",
    "sa.gov.yesser.partnership.framework-",
    "sa.gov.yesser.awareness.initiative-",
)


SERVICE: dict[str, Any] = {"service_id": "S", "on": "2006-01-01"}
PHASES = [{"phase": 1, "name": TEXT}, {"phase": 2, "name": TEXT}]
CERTIFICATE: dict[str, Any] = {"certificate_id": "C1", "trainee": "trn_aaaaaaaaaaaaaaaa"}
REASON: dict[str, Any] = {"reason": TEXT}
FACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "registered": ("service.registered", {"service_id": "S", "plan_id": "P", "group": 1, "name": TEXT}),
    "launched": ("service.launched", {**SERVICE, "channels": ["web"]}),
    "suspended": ("service.suspended", {**SERVICE, "on": "2006-02-01", **REASON}),
    "resumed": ("service.resumed", SERVICE),
    "retired": ("service.retired", {**SERVICE, **REASON}),
    "reassigned": ("service.reassigned", {**SERVICE, **REASON, "to": "justice"}),
    "register": (
        *("project.registered",),
        {"project_id": "P", "plan_id": "F", "kind": "infrastructure", "name": TEXT, "phases": PHASES},
    ),
    "start": ("project.phase-started", {"project_id": "P", "on": "2006-01-01"}),
    "complete": ("project.phase-completed", {"project_id": "P", "on": "2006-01-01"}),
    "reopen": ("project.phase-reopened", {"project_id": "P", "on": "2006-01-01"}),
    "cancel": ("project.cancelled", {"project_id": "P", "on": "2006-01-01"}),
    "reassign": ("project.reassigned", {"project_id": "P", "on": "2006-01-01", "to": "justice"}),
    "certify": ("training.certified", {**CERTIFICATE, "track": "usage", "on": "2006-06-01", "employer": "nobody"}),
    "revoke": ("training.revoked", {**CERTIFICATE, "on": "2007-01-01", **REASON}),
}


class Story(EventLog):
    """A log of the programme, in the order in which events are added."""

    def say(self, words: str) -> int:
        """Add the `FACTS` of these words; the index of the last. Of one service, one project, one certificate.

        `justice:start-2` is said by justice, else health says it, and is about phase 2; `revoke-other` is about another
        trainee.
        """
        for word in words.split():
            agency, _, fact = word.rpartition(":")
            verb, _, about = fact.partition("-")
            name, data = FACTS[verb]
            further = {"phase": int(about)} if about.isdigit() else {"trainee": "trn_bbbbbbbbbbbbbbbb"} if about else {}
            self.tell(agency or "health", name, **data | further)
        return len(self.entries) - 1

    def folded(self, batch: int | None = None) -> MemoryStore:
        """The tables after all entries, applied `batch` at a time (all at once by default)."""
        return self.folded_at([] if batch is None else range(batch, len(self.entries), batch))

    def folded_at(self, cuts: Sequence[int]) -> MemoryStore:
        """The same, applied in batches that end at `cuts`."""
        store = MemoryStore()
        for start, end in zip([0, *cuts], [*cuts, len(self.entries)], strict=True):
            assert store.apply(CONSUMER, self.entries[start:end]) == []
        return store

    def anomalies(self, batch: int = 1) -> list[tuple[int, int, str]]:
        """(index, found_index, rule) of what contradicts, as the oracle says, all at once or `batch` at a time."""
        store = self.folded()
        assert store.state() == self.folded(batch).state()
        self.assert_same_as_oracle(store)
        return [(row.index, row.found_index, row.rule) for row in store.rows(ANOMALY)]

    def assert_same_as_oracle(self, store: MemoryStore) -> None:
        def known(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
            return sorted((row.index, row.found_index, row.rule, row.type, row.subject, row.agency) for row in rows)

        expected = [row for row in fold(self.log).anomalies if row.type.startswith(HANDLED)]
        assert known(store.rows(ANOMALY)) == known(expected)

    def rules(self) -> list[str]:
        """The rules that were broken, in log order."""
        return [rule for _, _, rule in self.anomalies()]


def story_of(words: str) -> Story:
    story = Story()
    story.say(words)
    return story


SERVICE_ROW: dict[str, Any] = {
    "service_id": "health-01",
    "plan_id": "FIVE-YEAR",
    "group": 1,
    "name": TEXT,
    "agency": "health",
    "state": "suspended",
    "launched_on": None,
    "channels": ["web", "counter"],
    "url": None,
    "first_index": 4,
    "last_index": 9,
}
GROUP = {"registered": 50, "live": 48, "suspended": 1, "retired": 1}
AIR = {
    "launched_services": 100,
    "aired": {"tv": 98, "radio": 97, "print": 100},
    "on_all_three": 95,
    "general_campaigns": 2,
    "reach": 10,
}
PROJECT = {"project_id": "A", "agency": "health", "phases": 3, "started": 2, "completed": 1, "cancelled": False}
PLAN: dict[str, Any] = {
    "log_index": 900,
    "plan_id": "FIVE-YEAR",
    "infrastructure": {"target": 6, "registered": 6, "completed": 5, "cancelled": 0},
    "national_applications": {
        "target": 3,
        "projects": [
            PROJECT,
            {"project_id": "B", "agency": "labour", "phases": 4, "started": 1, "completed": 1, "cancelled": True},
        ],
    },
    "services": {
        "target": 150,
        "groups": {str(number): {"target": 50, "launched": 30 * (3 - number), **GROUP} for number in (1, 2, 3)},
    },
    "training": [
        {
            "calendar": "umm-al-qura",
            "year": 1426,
            "track": "usage",
            "quota": 355,
            "certified": 100,
            "revoked": 1,
            "net": 99,
        }
    ],
    "awareness": AIR,
    "partnerships": [],
    "anomalies": 0,
    "refusals": 0,
}
PACE: dict[str, Any] = {
    "log_index": 900,
    "recorded": "2005-08-05T06:00:00.000000Z",
    "plan": {
        "plan_id": "FIVE-YEAR",
        "name": {"ar": "خطة", "en": "Plan"},
        "starts_on": "2004-02-21",
        "ends_on": "2008-12-28",
    },
    "measured_on": "2005-08-05",
    "measured_by": "recorded",
    "days": 1_000,
    "elapsed_days": 700,
    "agencies": [],
    "launches": [],
}


def plan_of(**changed: Any) -> Plan:
    return document_of(Plan, PLAN | changed)


def pace_of(**changed: Any) -> Pace:
    return document_of(Pace, PACE | changed)


def plan_figures(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The document of `yesser plan` by the keys of the model `plan`."""
    infrastructure, applications, services = plan["infrastructure"], plan["national_applications"], plan["services"]
    awareness = dict(plan["awareness"])
    aired = awareness.pop("aired")
    found: dict[str, dict[str, Any]] = {
        "plan": {"plan_id": plan["plan_id"]},
        "infrastructure": infrastructure,
        "national_applications": {
            "target": applications["target"],
            "registered": len(applications["projects"]),
        },
        "services": {"target": services["target"]},
        "awareness": awareness | {f"aired.{channel}": count for channel, count in aired.items()},
        "anomalies": {"count": plan["anomalies"]},
        "refusals": {"count": plan["refusals"]},
    }
    for row in applications["projects"]:
        found[f"national_applications/{row['project_id']}"] = without(row, "project_id")
    for group, row in services["groups"].items():
        found[f"services/{group}"] = row
    for row in plan["training"]:
        key = "/".join(str(row[name]) for name in ("calendar", "year", "track"))
        found[f"training/{key}"] = without(row, "calendar", "year", "track")
    for row in plan["partnerships"]:
        found[f"partnerships/{row['partnership_id']}"] = without(row, "partnership_id")
    return found


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
