"""Projects and services: things with an owner, whose facts wait for `registered` (§3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.oracle.findings import Finding, verdict
from tests.oracle.log import EntryDict, JsonObject, sender, short_type

WAITING_OF_AN_AGENCY = 1_000
WAITING_IN_ALL = 10_000


@dataclass
class Project:
    """`phases` is the state of each phase: None, "started" or "completed"."""

    project_id: str
    plan_id: str
    kind: str
    owner: str
    phases: list[str | None]
    cancelled: bool = False

    @property
    def completed(self) -> bool:
        return all(state == "completed" for state in self.phases)

    def judge(self, name: str, data: JsonObject) -> str | None:
        """Apply the fact, or give the rule that it breaks."""
        if name == "project.cancelled":
            if self.cancelled or self.completed:
                return "already-cancelled" if self.cancelled else "not-allowed-now"
            self.cancelled = True
            return None
        if name == "project.reassigned":  # takes effect at its index, whatever the project's state
            self.owner = data["to"]
            return None
        return self._judge_phase(name, data["phase"])

    def _judge_phase(self, name: str, number: int) -> str | None:
        exists = number <= len(self.phases)
        state = self.phases[number - 1] if exists else None
        if name == "project.phase-started" and state is not None:
            return "already-started"
        if name == "project.phase-completed" and state == "completed":
            return "already-completed"
        if not exists:
            return "unknown-phase"
        if self.cancelled:
            return "not-allowed-now"
        if name == "project.phase-reopened":
            highest = max((n for n, s in enumerate(self.phases, 1) if s == "completed"), default=0)
            if number != highest:
                return "not-allowed-now"
            self.phases[number - 1] = "started"
            return None
        if number > 1 and self.phases[number - 2] != "completed":
            return "not-allowed-now"
        self.phases[number - 1] = "completed" if name == "project.phase-completed" else "started"
        return None


@dataclass
class Service:
    """One electronic service."""

    service_id: str
    plan_id: str
    group: int
    owner: str
    launched: bool = False
    suspended: bool = False
    retired: bool = False

    def judge(self, name: str, data: JsonObject) -> str | None:
        """Apply the fact, or give the rule that it breaks."""
        if name == "service.reassigned":
            self.owner = data["to"]
        elif name == "service.launched":
            if self.launched or self.retired:
                return "already-launched" if self.launched else "not-allowed-now"
            self.launched = True
        elif name == "service.suspended":
            if self.suspended:
                return "already-suspended"
            if self.retired or not self.launched:
                return "not-allowed-now"
            self.suspended = True
        elif name == "service.resumed":
            if not self.suspended:
                return "not-allowed-now"
            self.suspended = False
        else:
            if self.retired:
                return "already-retired"
            self.retired, self.suspended = True, False
        return None


@dataclass
class OwnedThings:
    """All projects and services, and the facts that wait for one that is not registered yet."""

    projects: dict[str, Project] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    waiting: dict[str, list[EntryDict]] = field(default_factory=dict)
    waiting_of_agency: dict[tuple[str, str], int] = field(default_factory=dict)

    def apply(self, entry: EntryDict) -> list[Finding]:
        """Apply a `project.*` or `service.*` entry and whatever waited for it."""
        event = entry["event"]
        subject, name = event["subject"], short_type(event)
        thing = self._find(subject)
        if not name.endswith(".registered"):
            if thing is None:
                return self._wait(subject, entry)
            return [_judge(thing, entry, entry["index"])]
        if thing is not None:
            rule = "already-registered" if thing.owner == sender(event) else "not-owner"
            return [verdict(entry, rule)]
        thing = self._register(event)
        waited = self.waiting.pop(subject, [])
        registered = verdict(entry, None, thing.owner)
        return [registered] + [_judge(thing, fact, entry["index"]) for fact in waited]

    def _wait(self, subject: str, entry: EntryDict) -> list[Finding]:
        waiting = self.waiting.setdefault(subject, [])
        of_agency = (subject, sender(entry["event"]))
        own = self.waiting_of_agency.get(of_agency, 0)
        if own == WAITING_OF_AN_AGENCY or len(waiting) == WAITING_IN_ALL:
            return [verdict(entry, "exceeds-waiting")]
        waiting.append(entry)
        self.waiting_of_agency[of_agency] = own + 1
        return []

    def _find(self, subject: str) -> Project | Service | None:
        kind, _, thing_id = subject.partition("/")
        return self.projects.get(thing_id) if kind == "project" else self.services.get(thing_id)

    def _register(self, event: JsonObject) -> Project | Service:
        data, owner = event["data"], sender(event)
        if "project_id" in data:
            phases: list[str | None] = [None] * len(data["phases"])
            project = Project(data["project_id"], data["plan_id"], data["kind"], owner, phases)
            self.projects[project.project_id] = project
            return project
        service = Service(data["service_id"], data["plan_id"], data["group"], owner)
        self.services[service.service_id] = service
        return service


def _judge(thing: Project | Service, entry: EntryDict, found_index: int) -> Finding:
    event = entry["event"]
    name = short_type(event)
    if sender(event) != thing.owner and not name.endswith(".reassigned"):
        return verdict(entry, "not-owner", found_index=found_index)
    rule = thing.judge(name, event["data"])
    return verdict(entry, rule, thing.owner, found_index)
