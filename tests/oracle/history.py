"""Seeded histories: what agencies and the office publish, line by line, with the counts known by construction.

`generate(seed, events, profile)` mixes good events with duplicates (also re-serialised ones), conflicts and refused
lines of every code. Plan, anomalies, balances and statements do not depend on the order in which the agencies' files
are published, nor do the campaigns but for their indexes: across agencies only such facts are told whose result is the
same in every order, and the office sets targets and quotas that are reached in every order or in none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.oracle.contracts_desk import ContractsDesk
from tests.oracle.desks import AwarenessDesk, Desk, Fact, ProjectsDesk, ServicesDesk, Shared, TrainingDesk
from tests.oracle.entries import Addressed, log_of, one_after_another, round_robin
from tests.oracle.entries import shuffled as in_shuffled_runs
from tests.oracle.faulty import RECIPES, ExpectedFault, spoiled_line, unreadable_line, unsendable_line
from tests.oracle.fold import with_campaigns
from tests.oracle.log import EntryDict, JsonObject, make_event
from tests.oracle.office_desk import office_facts
from tests.oracle.serialise import again, conflicting, write
from tests.oracle.validation import Agency, verdicts

CODES = (
    "yesser", "interior", "health", "justice", "commerce", "education", "municipal-affairs", "labour", "customs",
)  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """How a history is mixed; rates are parts of all lines (`error_rate`: of the facts, contradictions)."""

    agencies: tuple[str, ...] = CODES
    duplicate_rate: float = 0.01
    conflict_rate: float = 0.01
    bad_rate: float = 0.02
    unreadable_part: float = 0.2
    error_rate: float = 0.1
    revenue_part: float = 0.48
    training_part: float = 0.25
    services_part: float = 0.14
    projects_part: float = 0.11
    facts_per_contract: int = 60


MIXED = Profile()
CLEAN = Profile(duplicate_rate=0, conflict_rate=0, bad_rate=0, error_rate=0)
HOSTILE = Profile(duplicate_rate=0.05, conflict_rate=0.05, bad_rate=0.33, error_rate=0.2)
REVENUE = Profile(revenue_part=0.85, training_part=0.05, services_part=0.05, projects_part=0.03)


@dataclass
class Expected:
    """What `yesser publish` must print for one agency's file; problems by line number."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    refused: int = 0
    problems: dict[int, list[ExpectedFault]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        lines = self.accepted + self.duplicates + self.conflicts + self.refused
        return {
            "lines": lines,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "conflicts": self.conflicts,
            "refused": self.refused,
        }


@dataclass
class History:
    """The files by agency (`yesser` exists already, the others have to be registered in this order)."""

    seed: int
    agencies: tuple[Agency, ...]
    lines: dict[str, list[bytes]] = field(default_factory=dict)
    expected: dict[str, Expected] = field(default_factory=dict)

    def file(self, agency: str) -> bytes:
        """The bytes of the agency's file."""
        return b"".join(line + b"\n" for line in self.lines[agency])


def generate(seed: int, events: int, profile: Profile = MIXED) -> History:
    """A history of about `events` lines in all; exactly that many but for what the office has to say at least."""
    agencies = tuple(Agency(code, "office" if code == "yesser" else "agency") for code in profile.agencies)
    history, shared = History(seed, agencies), Shared()
    told: list[Fact] = []
    share = max(1, events // len(agencies))
    for agency in sorted(agencies, key=lambda agency: agency.role == "office"):
        random = Random(f"{seed}/{agency.code}")
        wanted = round(share * (1 - profile.duplicate_rate - profile.conflict_rate - profile.bad_rate))
        facts = agency_facts(random, agency.code, wanted, profile, shared)
        if agency.role == "office":
            own = facts[: max(0, wanted - 60)]
            facts = merged(random, own, office_facts(random, told + own, min(60, wanted)))
        told += facts
        writer = Writer(random, agency.code, profile)
        history.lines[agency.code] = list(writer.lines(facts))
        history.expected[agency.code] = writer.expected
    return history


def agency_facts(random: Random, agency: str, count: int, profile: Profile, shared: Shared) -> list[Fact]:
    """The agency's facts in its order."""
    common = (agency, random, profile.error_rate, shared)
    desks: list[tuple[float, Desk]] = [
        (profile.revenue_part, ContractsDesk(*common, facts_per_contract=profile.facts_per_contract)),
        (profile.training_part, TrainingDesk(*common)),
        (profile.services_part, ServicesDesk(*common)),
        (profile.projects_part, ProjectsDesk(*common)),
    ]
    desks.append((max(0.0, 1 - sum(part for part, _ in desks)), AwarenessDesk(*common)))
    parts, clerks = zip(*desks, strict=True)
    return [clerk.fact() for clerk in random.choices(clerks, parts, k=count)]


def merged(random: Random, first: list[Fact], second: list[Fact]) -> list[Fact]:
    """Both in one list, each in its own order."""
    turns = [0] * len(first) + [1] * len(second)
    random.shuffle(turns)
    sources = (iter(first), iter(second))
    return [next(sources[turn]) for turn in turns]


@dataclass
class Writer:
    """Writes an agency's facts down and puts duplicates, conflicts, bad and blank lines between them."""

    random: Random
    agency: str
    profile: Profile
    expected: Expected = field(default_factory=Expected)
    accepted: list[JsonObject] = field(default_factory=list)
    line: int = 0
    sequence: int = 0
    bad: int = 0

    def lines(self, facts: list[Fact]) -> Iterator[bytes]:
        """The lines of the file."""
        sequenced = self.random.random() < 0.5
        for fact in facts:
            for line in self._extra_lines():
                self.line += 1
                yield line
            event = self._event(fact, sequenced)
            self.line += 1
            self.accepted.append(event)
            self.expected.accepted += 1
            yield write(self.random, event)

    def _event(self, fact: Fact, sequenced: bool) -> JsonObject:
        name, subject, data = fact
        random, number = self.random, len(self.accepted)
        event = make_event(name, self.agency, subject, data, f"{name.partition('.')[0]}:{number:06d}")
        minutes, seconds = divmod(number * 97 % 86_400, 60)
        offset = random.choice(("Z", "+03:00", ".250Z"))
        event["time"] = f"2005-01-{1 + number % 28:02d}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{offset}"
        if sequenced:
            self.sequence += 1 + (random.random() < 0.002)
            event["sequence"] = f"{self.sequence:020d}"
        if random.random() < 0.1:
            event["dataschema"] = f"urn:yesser:schema:{event['type']}"
            event["hijridate"] = "1425-11-20"
        if random.random() < 0.1:
            event["correlationid"] = f"case-{number}"
        if random.random() < 0.05:
            event["partitionkey"] = None
        return event

    def _extra_lines(self) -> Iterator[bytes]:
        """What comes before the next good line, so that each rate holds of all lines."""
        profile, random = self.profile, self.random
        good = 1 - profile.duplicate_rate - profile.conflict_rate - profile.bad_rate
        while random.random() >= good:
            choice = random.random() * (1 - good)
            if choice < profile.bad_rate:
                yield self._bad()
            elif not self.accepted:
                continue
            elif choice < profile.bad_rate + profile.duplicate_rate:
                yield self._duplicate()
            else:
                yield self._conflict()
        if profile.bad_rate and random.random() < 0.002:
            yield random.choice((b"", b"  ", b"\t"))

    def _duplicate(self) -> bytes:
        self.expected.duplicates += 1
        event = self.random.choice(self.accepted)
        return write(self.random, again(self.random, event) if self.random.random() < 0.7 else event)

    def _conflict(self) -> bytes:
        self.expected.conflicts += 1
        self.expected.problems[self.line + 1] = [("conflict", "")]
        return write(self.random, conflicting(self.random, self.random.choice(self.accepted)))

    def _bad(self) -> bytes:
        random = self.random
        self.bad += 1
        event_id = f"bad:{self.bad}"
        if self.accepted and random.random() < 0.1:
            event_id = random.choice(self.accepted)["id"]
        if random.random() >= self.profile.unreadable_part:
            recipe = RECIPES[self.bad % len(RECIPES)] if random.random() < 0.5 else random.choice(RECIPES)
            line, faults = spoiled_line(random, self.agency, event_id, recipe)
        elif random.random() < 0.01:
            line, faults = unsendable_line(self.agency, event_id)
        else:
            line, faults = unreadable_line(random, self.agency, event_id)
        self.expected.refused += 1
        self.expected.problems[self.line + 1] = faults
        return line


def entries_from(history: History, interleaving: str = "round-robin", seconds_between: int = 3600) -> list[EntryDict]:
    """The log of the history, with a `campaign.triggered` at the end for every campaign that is due.

    `interleaving`: "one-after-another", "round-robin", or "shuffled:SEED".
    """
    publications = verdicts(history.lines, history.agencies).values()
    if interleaving == "round-robin":
        order: list[Addressed] = round_robin(publications)
    elif interleaving == "one-after-another":
        order = one_after_another(publications)
    else:
        order = in_shuffled_runs(publications, int(interleaving.removeprefix("shuffled:")))
    return with_campaigns(log_of(history.agencies, order, seconds_between))
