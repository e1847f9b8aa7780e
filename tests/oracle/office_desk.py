"""What the programme office alone may say. It speaks last in a generated history, so that its targets and quotas are
either reached by the end in every interleaving of the agencies, or in none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

from tests.oracle.calendars import date_parts
from tests.oracle.desks import TRACKS, Fact, some_day
from tests.oracle.log import JsonObject
from tests.oracle.words import text

Cell = tuple[str, int, str]
FAR = 1_000_000
CALENDARS = ("gregorian", "umm-al-qura")


def office_facts(random: Random, told: list[Fact], count: int) -> list[Fact]:
    """`count` or some more facts; `told` is what all agencies say in this history."""
    facts = [*plan_facts(random, launched_by_group(told)), *quota_facts(random, told), *reassigned_things(random)]
    facts += [workshop_or_framework(random, number) for number in range(count - len(facts))]
    return facts


def launched_by_group(told: list[Fact]) -> Counter[int]:
    """How many services of the plan are launched at least once, by group."""
    launched = {data["service_id"] for name, _, data in told if name == "service.launched"}
    seen: dict[str, int] = {}
    for name, _, data in told:
        if name == "service.registered" and data["plan_id"] == "FIVE-YEAR" and data["service_id"] in launched:
            seen.setdefault(data["service_id"], data["group"])
    return Counter(seen.values())


def plan_facts(random: Random, launched: Counter[int]) -> list[Fact]:
    """A draft that is replaced, the plan itself, its amendments, and two contradictions."""
    reachable = {group: random.random() < 0.5 and launched[group] > 3 for group in (1, 2, 3)}

    def targets() -> JsonObject:
        services = {
            str(group): random.randint(1, launched[group] // 3) if reachable[group] else random.choice((0, FAR))
            for group in (1, 2, 3)
        }
        return {
            "infrastructure_projects": random.randrange(20),
            "national_applications": random.randrange(20),
            "services": services,
        }

    def adopted(plan_id: str, plan_targets: JsonObject) -> Fact:
        data = {"plan_id": plan_id, "name": text(random), "starts_on": "2005-01-01", "ends_on": "2009-12-31"}
        return "plan.adopted", f"plan/{plan_id}", {**data, "targets": plan_targets}

    def amended(plan_id: str) -> Fact:
        return (
            "plan.amended",
            f"plan/{plan_id}",
            {"plan_id": plan_id, "targets": targets(), "reason": text(random)},
        )

    far = {"infrastructure_projects": 1, "national_applications": 1, "services": dict.fromkeys("123", FAR)}
    return [
        adopted("DRAFT-PLAN", far), adopted("FIVE-YEAR", targets()), amended("FIVE-YEAR"), amended("NO-PLAN"),
        adopted("FIVE-YEAR", targets()), amended("FIVE-YEAR"),
    ]  # fmt: skip


def quota_facts(random: Random, told: list[Fact]) -> list[Fact]:
    """A quota for most cells: unreachable, none, or one that is met and never lost again."""
    certified: Counter[Cell] = Counter()
    days: dict[str, list[Cell]] = {}
    lost: set[Cell] = set()
    for name, _, data in told:
        if name == "training.certified":
            cells = [(c, date_parts(data["on"], c)[0], data["track"]) for c in CALENDARS]
            days.setdefault(data["certificate_id"], []).extend(cells)
            certified.update(cells)
    for name, _, data in told:
        if name == "training.revoked":
            lost.update(days.get(data["certificate_id"], []))
    facts: list[Fact] = []
    for cell in _cells():
        safe = certified[cell] > 0 and cell not in lost
        seats = random.choice((random.randint(1, certified[cell]), FAR) if safe else (0, FAR))
        facts += [_quota(cell, seats)] * random.choice((0, 1, 1, 1, 2))
    random.shuffle(facts)
    return facts


def _cells() -> Iterable[Cell]:
    years = [("gregorian", year) for year in range(2005, 2010)] + [("umm-al-qura", y) for y in range(1425, 1431)]
    return [(calendar, year, track) for calendar, year in years for track in TRACKS]


def _quota(cell: Cell, seats: int) -> Fact:
    calendar, year, track = cell
    data = {"calendar": calendar, "year": year, "track": track, "seats": seats}
    return "training.quota-set", f"quota/{calendar}/{year}/{track}", data


def reassigned_things(random: Random) -> list[Fact]:
    """A project, a service and a partnership of the office that it gives away, and forgets that it did."""
    facts: list[Fact] = []
    for kind, name_of_id, register in _registrations(random):
        thing_id = f"OFFICE-{kind.upper()}"
        data = {name_of_id: thing_id, **register[1]}
        reassignment = {name_of_id: thing_id, "to": "interior", "on": some_day(random), "reason": text(random)}
        registered = (register[0], f"{kind}/{thing_id}", data)
        reassigned = (f"{kind}.reassigned", f"{kind}/{thing_id}", reassignment)
        first = (
            [reassigned, registered] if kind != "partnership" and random.random() < 0.5 else [registered, reassigned]
        )
        facts += [*first, registered]
    return facts


def _registrations(random: Random) -> list[tuple[str, str, tuple[str, JsonObject]]]:
    project = {"kind": "national-application", "phases": [{"phase": 1, "name": text(random)}]}
    terms = {
        "starts_on": "2005-01-01", "ends_on": "2006-12-31", "calendar": "gregorian", "period": "month",
        "tier_basis": "lifetime", "bands": [{"up_to_halalas": None, "partner_bp": 3333}],
        "cap": None, "guarantee": None, "expected": [],
    }  # fmt: skip
    contract = {
        "partner": {"partner_id": "CO", "name": text(random)}, "services": ["S"], "legal_basis": text(random),
        "signed_on": "2005-01-01", "terms": terms,
    }  # fmt: skip
    planned = {"plan_id": "FIVE-YEAR", "name": text(random)}
    return [
        ("project", "project_id", ("project.registered", {**planned, **project})),
        ("service", "service_id", ("service.registered", {**planned, "group": 1})),
        ("partnership", "partnership_id", ("partnership.signed", contract)),
    ]


def workshop_or_framework(random: Random, number: int) -> Fact:
    """Things that happen once, some of them told twice."""
    serial = random.randint(0, number)
    if random.random() < 0.3:
        data: JsonObject = {"framework_id": f"FW-{serial}", "title": text(random), "legal_basis": text(random)}
        return "partnership.framework-published", f"framework/FW-{serial}", {**data, "on": some_day(random)}
    verb = random.choice(("announced", "held"))
    data = {"workshop_id": f"WS-{serial}", "topic": text(random), "on": some_day(random), "place": text(random)}
    partners = [text(random) for _ in range(random.randrange(3))]
    return f"partnership.workshop-{verb}", f"workshop/WS-{serial}", {**data, "partners": partners}
