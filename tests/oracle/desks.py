"""What one agency tells about its services, projects, trainees and initiatives: mostly sensible, sometimes not.

A desk gives one fact at a time, as (type, subject, data). Nothing here decides what is an anomaly: the fold does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TypeAlias

from tests.oracle.log import JsonObject
from tests.oracle.words import text

Fact: TypeAlias = tuple[str, str, JsonObject]
TRACKS = ("usage", "specialist", "leadership")
PLAN_IDS = ("FIVE-YEAR",) * 9 + ("OTHER-PLAN",)
SERVICE_CHANNELS = ("web", "mobile", "kiosk", "phone", "counter")
FIRST_DAY = date(2005, 1, 1)


@dataclass
class Shared:
    """Things that other agencies may talk about without the order across agencies deciding anything."""

    services: list[str] = field(default_factory=list)
    projects: list[str] = field(default_factory=list)
    certificates: list[tuple[str, str]] = field(default_factory=list)
    contracts: list[tuple[str, str]] = field(default_factory=list)


def some_day(random: Random) -> str:
    """A date in the five years of the plan."""
    return (FIRST_DAY + timedelta(days=random.randrange(1825))).isoformat()


@dataclass
class Desk:
    """The one who writes: the agency's code, its dice, and how often it errs."""

    agency: str
    random: Random
    error_rate: float
    shared: Shared
    count: int = 0

    def errs(self) -> bool:
        return self.random.random() < self.error_rate

    def next_id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}-{self.agency}-{self.count}"

    def note(self, service_id: str) -> JsonObject:
        return {"service_id": service_id, "on": some_day(self.random), "reason": text(self.random)}


@dataclass
class ServicesDesk(Desk):
    """Registers, launches, suspends, resumes and retires; about one in seven is registered late or never."""

    states: dict[str, str] = field(default_factory=dict)
    unregistered: list[str] = field(default_factory=list)

    def fact(self) -> Fact:
        random = self.random
        if self.unregistered and random.random() < 0.3:
            return self._register(self.unregistered.pop(random.randrange(len(self.unregistered))))
        if not self.states or random.random() < 0.35:
            service_id = self.next_id("SVC")
            self.states[service_id] = "registered"
            if random.random() < 0.15:
                self.unregistered.append(service_id)
                return self._launch(service_id)
            return self._register(service_id)
        if self.errs():
            return self._mistake()
        return self._next(random.choice(list(self.states)[-200:]))

    def _register(self, service_id: str) -> Fact:
        self.shared.services.append(service_id)
        random = self.random
        group = random.randint(1, 3)
        data = {"service_id": service_id, "plan_id": random.choice(PLAN_IDS), "group": group, "name": text(random)}
        return "service.registered", f"service/{service_id}", data

    def _launch(self, service_id: str) -> Fact:
        self.states[service_id] = "launched"
        channels = self.random.sample(SERVICE_CHANNELS, self.random.randint(1, 3))
        data: JsonObject = {"service_id": service_id, "on": some_day(self.random), "channels": channels}
        if self.random.random() < 0.3:
            data["url"] = f"https://services.example/{service_id.lower()}?q=%20x"
        return "service.launched", f"service/{service_id}", data

    def _next(self, service_id: str) -> Fact:
        state = self.states[service_id]
        if state == "registered":
            return self._launch(service_id)
        if state == "suspended" and self.random.random() < 0.8:
            self.states[service_id] = "launched"
            data = {"service_id": service_id, "on": some_day(self.random)}
            return "service.resumed", f"service/{service_id}", data
        verb = "retired" if self.random.random() < 0.2 else "suspended"
        self.states[service_id] = verb
        return f"service.{verb}", f"service/{service_id}", self.note(service_id)

    def _mistake(self) -> Fact:
        random = self.random
        if self.shared.services and random.random() < 0.3:
            foreign = random.choice(self.shared.services)
            return "service.retired", f"service/{foreign}", self.note(foreign)
        service_id = random.choice(list(self.states))
        if random.random() < 0.2:
            return self._register(service_id)
        if random.random() < 0.3:
            return self._launch(service_id)
        verb = random.choice(("retired", "suspended"))
        return f"service.{verb}", f"service/{service_id}", self.note(service_id)


@dataclass
class ProjectsDesk(Desk):
    """Registers projects and reports their phases; some before they are registered."""

    phases: dict[str, int] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    unregistered: list[str] = field(default_factory=list)

    def fact(self) -> Fact:
        random = self.random
        if self.unregistered and random.random() < 0.3:
            return self._register(self.unregistered.pop())
        if not self.phases or random.random() < 0.25:
            project_id = self.next_id("PRJ")
            self.phases[project_id] = random.choice((1, 2, 3, 3, 4, 5, 50))
            self.reached[project_id] = 0
            if random.random() < 0.2:
                self.unregistered.append(project_id)
                return self._progress(project_id)
            return self._register(project_id)
        if self.errs():
            return self._mistake()
        return self._progress(random.choice(list(self.phases)[-100:]))

    def _register(self, project_id: str) -> Fact:
        random = self.random
        self.shared.projects.append(project_id)
        data = {
            "project_id": project_id,
            "plan_id": random.choice(PLAN_IDS),
            "kind": random.choice(("infrastructure", "national-application")),
            "name": text(random),
            "phases": [{"phase": n, "name": text(random)} for n in range(1, self.phases[project_id] + 1)],
        }
        return "project.registered", f"project/{project_id}", data

    def _progress(self, project_id: str) -> Fact:
        """Twice per phase: started, completed."""
        step = self.reached[project_id]
        self.reached[project_id] += 1
        phase = min(step // 2 + 1, self.phases[project_id])
        verb = "phase-completed" if step % 2 else "phase-started"
        return self._fact(verb, project_id, {"phase": phase})

    def _mistake(self) -> Fact:
        random = self.random
        if self.shared.projects and random.random() < 0.3:
            return self._fact("phase-started", random.choice(self.shared.projects), {"phase": 1})
        project_id = random.choice(list(self.phases))
        choice = random.randrange(5)
        if choice == 0:
            return self._register(project_id)
        if choice == 1:
            return self._fact("cancelled", project_id, {"reason": text(random)})
        phase = random.randint(1, self.phases[project_id] + 1)
        if choice == 2:
            return self._fact("phase-reopened", project_id, {"phase": phase, "reason": text(random)})
        return self._fact(random.choice(("phase-started", "phase-completed")), project_id, {"phase": phase})

    def _fact(self, verb: str, project_id: str, more: JsonObject) -> Fact:
        data = {"project_id": project_id, "on": some_day(self.random), **more}
        return f"project.{verb}", f"project/{project_id}", data


@dataclass
class TrainingDesk(Desk):
    """Certifies and now and then revokes."""

    certificates: list[tuple[str, str, str, str]] = field(default_factory=list)

    def fact(self) -> Fact:
        random = self.random
        if self.certificates and random.random() < 0.1 + self.error_rate:
            return self._revoke() if random.random() < 0.8 else self._certify(random.choice(self.certificates))
        letters = "".join(random.choices("abcdefghijklmnopqrstuvwxyz234567", k=random.choice((16, 16, 52))))
        certificate = (self.next_id("CRT"), f"trn_{letters}", random.choice(TRACKS), some_day(random))
        if certificate[2] != "leadership":  # never revoked, so that its quotas are met in every order or in none
            self.certificates.append(certificate)
            self.shared.certificates.append(certificate[:2])
        return self._certify(certificate)

    def _certify(self, certificate: tuple[str, str, str, str]) -> Fact:
        certificate_id, trainee, track, on = certificate
        employer = self.random.choice((self.agency, "somewhere-else"))
        data = {
            "certificate_id": certificate_id, "trainee": trainee, "track": track, "on": on, "employer": employer
        }  # fmt: skip
        return "training.certified", f"trainee/{trainee}", data

    def _revoke(self) -> Fact:
        random = self.random
        certificate_id, trainee, _, _ = random.choice(self.certificates)
        if self.errs():
            certificate_id, trainee = random.choice(self.shared.certificates)
        if self.errs():
            trainee = "trn_" + "z" * 16
        data = {
            "certificate_id": certificate_id, "trainee": trainee, "on": some_day(random), "reason": text(random)
        }  # fmt: skip
        return "training.revoked", f"trainee/{trainee}", data


@dataclass
class AwarenessDesk(Desk):
    """Announces initiatives, and errs about campaigns that nobody triggered."""

    announced: list[str] = field(default_factory=list)

    def fact(self) -> Fact:
        random = self.random
        if self.errs() and random.random() < 0.5:
            campaign_id = f"service-launched.i{random.randint(10**7, 10**8)}"
            data: JsonObject = {"campaign_id": campaign_id, "by": "campaign-desk", "on": some_day(random)}
            return "awareness.campaign-acknowledged", f"campaign/{campaign_id}", data
        if self.errs() and self.announced:
            initiative_id = random.choice(self.announced)
        else:
            initiative_id = self.next_id("INI")
            self.announced.append(initiative_id)
        data = {"initiative_id": initiative_id, "name": text(random), "aim": text(random), "on": some_day(random)}
        return "awareness.initiative-announced", f"initiative/{initiative_id}", data
