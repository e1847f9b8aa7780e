"""Traffic for measuring: all types that an agency may send, mixed as the programme would, with the verdict on each.

The programme has 150 services, nine projects and some partnerships; what is frequent is what people do: of 1,000 events
of an agency about 470 are receipts and 350 certificates. The rest are facts about services, projects and contracts.
Amounts reach from 1 riyal to 30 million, evenly by magnitude. 1 % of the records are exact duplicates, 1 % is refused.
What is accepted contradicts hardly ever: only the campaigns that are named (0.2 %) are unknown.

The stream keeps some numbers for each contract and service, so that any length needs little memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Literal

from bench.history import AGENCIES, EVENTS_PER_DAY, FIRST_DAY, generate_bench
from bench.traffic_writers import (
    CALENDARS,
    LAST_DAY,
    PARTNERS_MAX,
    PHASES_MAX,
    TERMS_VARIANTS,
    YEARS,
    Writer,
    make_writers,
)
from tests.oracle.calendars import period_of
from tests.oracle.personal import luhn_holds

Outcome = Literal["accepted", "duplicate", "refused"]
Line = tuple[str, bytes, Outcome]
"""An agency, a record for its topic, and what the registrar says of it."""
OFFICE = "yesser"
DUPLICATES, REFUSED, OF_OFFICE = 0.01, 0.01, 0.02
TRACKS = ("usage", "usage", "specialist", "leadership")
CONTRACTS_MIN, CONTRACTS_MAX = 15, 25
RIYAL, RIYALS_MAX = 100, 30_000_000
REPEATABLE, REVOCABLE = 64, 16
LATE_PART, LATE_DAYS_MAX = 0.05, 90
MONEY = re.compile(rb"revenue\.(collected|reversed)")
AMOUNT = re.compile(rb'"amount_halalas": ?([0-9]+)')
CAMPAIGN = b".awareness.campaign-"
BASE32 = bytes.maketrans(b"0123456789abcdef", b"a2b3c4d5e6f7ghij")

PER_THOUSAND = {
    "receipt": 500, "certificate": 352, "revocation": 15, "reversal": 35, "payout": 8,
    "service_registered": 6, "service_launched": 4, "service_suspended": 20, "service_resumed": 20,
    "service_retired": 1,
    "project_registered": 6, "phase_started": 8, "phase_completed": 8, "phase_reopened": 2, "project_cancelled": 2,
    "signature": 4, "amendment": 3, "termination": 1,
    "initiative": 3, "campaign": 2,
}  # fmt: skip
OFFICE_PER_HUNDRED = {
    "quota": 14, "plan_amended": 6, "workshop": 38, "framework": 8, "service_reassigned": 14, "project_reassigned": 10,
    "partnership_reassigned": 10,
}  # fmt: skip


@dataclass(frozen=True)
class Days:
    """The days that a history covers; for each calendar of `CALENDARS` its periods, and the period of each day."""

    days: list[str]
    periods: list[list[str]]
    period_at: list[list[int]]


@dataclass(slots=True)
class Expected:
    """What so much traffic must lead to. Of mixed traffic only the campaigns that do not exist are anomalies."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    net_halalas: int = 0
    anomalies: int = 0

    @property
    def events(self) -> int:
        return self.outcomes.total()

    @property
    def entries(self) -> int:
        """A refusal is an entry, a duplicate is none."""
        return self.outcomes["accepted"] + self.outcomes["refused"]

    def count(self, line: bytes, outcome: Outcome) -> None:
        """Add a line of mixed traffic."""
        self.outcomes[outcome] += 1
        if outcome != "accepted":
            return
        money = MONEY.search(line)
        if money:
            amount = AMOUNT.search(line)
            assert amount is not None
            self.net_halalas += int(amount[1]) if money[1] == b"collected" else -int(amount[1])
        elif CAMPAIGN in line:
            self.anomalies += 1


@dataclass(slots=True)
class Contract:
    """`next_period` is the open one; `payable` is at most what the partner may be paid."""

    partnership_id: str
    first_day: int
    terms: tuple[int, int]
    next_period: int
    receipt: tuple[str, int] | None = None
    nets: dict[int, int] = field(default_factory=dict)
    payable: int = 0


@dataclass(slots=True)
class Project:
    """So many phases are completed; `started` tells whether the one after them is."""

    project_id: str
    phases: int
    completed: int = 0
    started: bool = False


class Sender:
    """One agency, or the office: what it sent, as far as its next records depend on it."""

    def __init__(self, code: str, random: Random, writers: Sequence[Writer], days: Days, has_sequence: bool) -> None:
        self.code = code
        self._random, self._writers, self._days, self._has_sequence = random, writers, days, has_sequence
        self._writer, self._which = writers[0], 0
        self._records = self._serial = 0
        self._last_id = ""
        self._contracts: list[Contract] = []
        self._certificates: list[tuple[str, str, str]] = []
        self._registered: list[str] = []
        self._launched: list[str] = []
        self._suspended: list[str] = []
        self._projects: list[Project] = []
        self._announced: list[str] = []
        self._accepted: list[bytes] = []
        weights = OFFICE_PER_HUNDRED if code == OFFICE else PER_THOUSAND
        self._acts: list[Callable[[int], bytes]] = [
            getattr(self, f"_{name}") for name, weight in weights.items() for _ in range(weight)
        ]
        self._spoilers: tuple[Callable[[int], bytes], ...] = (
            self._foreign, self._mismatch, self._no_such_track, self._no_such_day, self._fraction, self._huge,
            self._renamed, self._unknown, self._cut, self._twice, self._no_such_type, self._personal, self._conflict,
            self._forbidden,
        )  # fmt: skip

    def next(self, day: int) -> tuple[bytes, Outcome]:
        """The next record, sent on that day."""
        self._choose_writer()
        chance = self._random.random()
        if chance < DUPLICATES and self._accepted:
            return self._accepted[int(chance / DUPLICATES * len(self._accepted))], "duplicate"
        if chance > 1 - REFUSED:
            return self._spoilers[int((1 - chance) / REFUSED * len(self._spoilers))](day), "refused"
        line = self._acts[int(self._random.random() * len(self._acts))](day)
        if len(self._accepted) < REPEATABLE:
            self._accepted.append(line)
        elif (at := self._any(self._records)) < REPEATABLE:  # a sample of all, so that duplicates have any age
            self._accepted[at] = line
        return line, "accepted"

    def opening(self) -> Iterator[bytes]:
        """What comes before all else."""
        if self.code == OFFICE:
            yield self._write("plan.adopted", 0, "FIVE-YEAR", targets=self._writer.targets[0])
            for number in range(len(YEARS) * 3):
                self._choose_writer()
                yield self._quota_of(0, number)
            return
        for _ in range(CONTRACTS_MIN):
            self._choose_writer()
            yield self._signature(0)

    def _choose_writer(self) -> None:
        self._which = int(self._random.random() * len(self._writers))
        self._writer = self._writers[self._which]

    def _write(self, name: str, day: int, thing: str, /, **values: object) -> bytes:
        """An event of the type about the thing, as the chosen writer writes it."""
        self._records += 1
        number, writer, today = self._records, self._writer, self._days.days[day]
        self._last_id = self._event_id(number)
        filled = {
            "id": self._last_id, "agency": self.code, "time": today + writer.times[number % len(writer.times)],
            "day": today, "thing": thing, "text": writer.texts[number % len(writer.texts)], **values,
        }  # fmt: skip
        line = writer.templates[name] % filled
        if self._has_sequence:
            line = f'{{"sequence":"{number:020d}",{line[1:]}'
        return line.encode()

    def _event_id(self, number: int) -> str:
        if self._which != 1:
            return f"{self.code}-{number:08d}"
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _new(self, prefix: str) -> str:
        """An id of the agency's own; nine digits, since ten may look like a person's."""
        self._serial += 1
        return f"{prefix}-{self.code}-{self._serial:09d}"

    def _any(self, number: int) -> int:
        return int(self._random.random() * number)

    def _take(self, things: list[str]) -> str:
        """Remove any of them."""
        at = self._any(len(things))
        things[at], things[-1] = things[-1], things[at]
        return things.pop()

    # Revenue and contracts

    def _receipt(self, day: int) -> bytes:
        """A receipt, or the closing of the contract's period where that is over."""
        contract = self._contracts[self._any(len(self._contracts))]
        calendar = contract.terms[1]
        period_at = self._days.period_at[calendar]
        if contract.next_period < period_at[day]:
            return self._closing(day, contract)
        dated = day
        if self._random.random() < LATE_PART:
            dated = max(contract.first_day, day - self._any(LATE_DAYS_MAX))
        period = max(period_at[dated], contract.next_period)
        amount = int(RIYAL * RIYALS_MAX ** self._random.random())
        contract.nets[period] = contract.nets.get(period, 0) + amount
        contract.receipt = self._new("R"), amount
        return self._write(
            "revenue.collected", day, contract.partnership_id, receipt=contract.receipt[0], amount=amount,
            service=self._any(5), date=self._days.days[dated], receipts=1 + self._any(400),
        )  # fmt: skip

    def _closing(self, day: int, contract: Contract) -> bytes:
        number = contract.next_period
        contract.payable += contract.nets.pop(number, 0) // 10
        contract.next_period += 1
        period = self._days.periods[contract.terms[1]][number]
        return self._write("revenue.period-closed", day, contract.partnership_id, period=period)

    def _reversal(self, day: int) -> bytes:
        contract = self._contracts[self._any(len(self._contracts))]
        if contract.receipt is None:
            return self._receipt(day)
        (receipt, collected), contract.receipt = contract.receipt, None
        amount = collected if self._random.random() < 0.5 else 1 + collected // 3
        period = max(self._days.period_at[contract.terms[1]][day], contract.next_period)
        contract.nets[period] = contract.nets.get(period, 0) - amount
        reversal = self._new("V")
        return self._write(
            "revenue.reversed", day, contract.partnership_id, receipt=receipt, reversal=reversal, amount=amount
        )

    def _payout(self, day: int) -> bytes:
        contract = max(self._contracts, key=lambda contract: contract.payable)
        if contract.payable <= 0:
            return self._receipt(day)
        amount, contract.payable = contract.payable, 0
        return self._write("revenue.paid-out", day, contract.partnership_id, payout=self._new("O"), amount=amount)

    def _signature(self, day: int) -> bytes:
        if len(self._contracts) >= CONTRACTS_MAX:
            return self._termination(day)
        year, calendar = int(self._days.days[day][:4]), self._serial % len(CALENDARS)
        first_day = (date(year, 1, 1) - FIRST_DAY).days
        contract = Contract(
            self._new("PPP"), first_day, (year, calendar), self._days.period_at[calendar][first_day]
        )  # fmt: skip
        self._contracts.append(contract)
        terms = self._writer.terms[*contract.terms, self._any(TERMS_VARIANTS)]
        return self._write("partnership.signed", day, contract.partnership_id, terms=terms)

    def _amendment(self, day: int) -> bytes:
        """From the next period on, since nothing is collected in it yet."""
        contract = self._contracts[self._any(len(self._contracts))]
        calendar = contract.terms[1]
        number = self._days.period_at[calendar][day] + 1
        if number == len(self._days.periods[calendar]):
            return self._receipt(day)
        period, terms = self._days.periods[calendar][number], self._writer.terms[*contract.terms, self._any(3)]
        return self._write("partnership.amended", day, contract.partnership_id, period=period, terms=terms)

    def _termination(self, day: int) -> bytes:
        if len(self._contracts) <= CONTRACTS_MIN:
            return self._signature(day)
        contract = self._contracts.pop(self._any(len(self._contracts)))
        return self._write("partnership.terminated", day, contract.partnership_id)

    def _partnership_reassigned(self, day: int) -> bytes:
        if not self._contracts:
            return self._signature(day)
        return self._write("partnership.reassigned", day, self._contracts.pop().partnership_id, to=self._agency())

    # Training

    def _certificate(self, day: int) -> bytes:
        line = self._certified(day, certificate := self._new("C"), trainee := self._trainee())
        if len(self._certificates) < REVOCABLE:
            self._certificates.append((self._last_id, certificate, trainee))
        return line

    def _certified(self, day: int, certificate: str, trainee: str, /, **values: object) -> bytes:
        track = TRACKS[self._records % len(TRACKS)]
        return self._write("training.certified", day, trainee, **{"certificate": certificate, "track": track, **values})

    def _trainee(self) -> str:
        return "trn_" + (b"%026x" % self._random.getrandbits(104)).translate(BASE32).decode()

    def _revocation(self, day: int) -> bytes:
        if not self._certificates:
            return self._certificate(day)
        _, certificate, trainee = self._certificates.pop()
        return self._write("training.revoked", day, trainee, certificate=certificate)

    def _quota(self, day: int) -> bytes:
        return self._quota_of(day, self._any(len(YEARS) * 3))

    def _quota_of(self, day: int, number: int) -> bytes:
        calendar, year, track = "gregorian", YEARS[number // 3], TRACKS[1 + number % 3]
        thing = f"{calendar}/{year}/{track}"
        seats = 100_000 + 1_000 * self._any(10)
        return self._write("training.quota-set", day, thing, calendar=calendar, year=year, track=track, seats=seats)

    # Services and projects

    def _service_registered(self, day: int) -> bytes:
        self._registered.append(service := self._new("SVC"))
        return self._write("service.registered", day, service, group=1 + self._any(3))

    def _service_launched(self, day: int) -> bytes:
        if not self._registered:
            return self._service_registered(day)
        self._launched.append(service := self._take(self._registered))
        channels = self._writer.channels
        return self._write("service.launched", day, service, channels=channels[self._any(len(channels))])

    def _service_suspended(self, day: int) -> bytes:
        if not self._launched:
            return self._service_launched(day)
        self._suspended.append(service := self._take(self._launched))
        return self._write("service.suspended", day, service)

    def _service_resumed(self, day: int) -> bytes:
        if not self._suspended:
            return self._service_suspended(day)
        self._launched.append(service := self._take(self._suspended))
        return self._write("service.resumed", day, service)

    def _service_retired(self, day: int) -> bytes:
        if not self._launched:
            return self._service_launched(day)
        return self._write("service.retired", day, self._take(self._launched))

    def _service_reassigned(self, day: int) -> bytes:
        """Of a service that the office registered: topics have no order among each other."""
        if not self._registered:
            return self._service_registered(day)
        return self._write("service.reassigned", day, self._take(self._registered), to=self._agency())

    def _project_registered(self, day: int) -> bytes:
        phases = 1 + self._any(PHASES_MAX)
        self._projects.append(Project(project := self._new("PRJ"), phases))
        kind = "infrastructure" if self._random.random() < 2 / 3 else "national-application"
        return self._write("project.registered", day, project, kind=kind, phases=self._writer.phases[phases - 1])

    def _phase_started(self, day: int) -> bytes:
        if not self._projects:
            return self._project_registered(day)
        project = self._projects[self._any(len(self._projects))]
        if project.started:
            return self._complete(day, project)
        project.started = True
        return self._write("project.phase-started", day, project.project_id, phase=project.completed + 1)

    def _phase_completed(self, day: int) -> bytes:
        if not self._projects:
            return self._project_registered(day)
        return self._complete(day, self._projects[self._any(len(self._projects))])

    def _complete(self, day: int, project: Project) -> bytes:
        project.completed, project.started = project.completed + 1, False
        if project.completed == project.phases:
            self._projects.remove(project)
        return self._write("project.phase-completed", day, project.project_id, phase=project.completed)

    def _phase_reopened(self, day: int) -> bytes:
        project = next((p for p in self._projects if p.completed and not p.started), None)
        if project is None:
            return self._phase_completed(day)
        project.completed, project.started = project.completed - 1, True
        return self._write("project.phase-reopened", day, project.project_id, phase=project.completed + 1)

    def _project_cancelled(self, day: int) -> bytes:
        if not self._projects:
            return self._project_registered(day)
        return self._write("project.cancelled", day, self._projects.pop().project_id)

    def _project_reassigned(self, day: int) -> bytes:
        if not self._projects:
            return self._project_registered(day)
        return self._write("project.reassigned", day, self._projects.pop().project_id, to=self._agency())

    def _agency(self) -> str:
        return AGENCIES[self._any(len(AGENCIES))]

    # The office's own, and awareness

    def _plan_amended(self, day: int) -> bytes:
        return self._write("plan.amended", day, "FIVE-YEAR", targets=self._writer.targets[self._any(3)])

    def _workshop(self, day: int) -> bytes:
        partners = self._writer.partners[self._any(PARTNERS_MAX)]
        if self._announced:
            return self._write("partnership.workshop-held", day, self._announced.pop(), partners=partners)
        self._announced.append(workshop := self._new("WRK"))
        return self._write("partnership.workshop-announced", day, workshop, partners=partners)

    def _framework(self, day: int) -> bytes:
        return self._write("partnership.framework-published", day, self._new("FRM"))

    def _initiative(self, day: int) -> bytes:
        return self._write("awareness.initiative-announced", day, self._new("INI"))

    def _campaign(self, day: int) -> bytes:
        """Of a campaign that does not exist: an id holds an index of the log, which is not known before."""
        name = ("acknowledged", "aired", "airing-corrected", "completed")[self._any(4)]
        campaign = f"service-launched.i9{self._records:08d}"
        return self._write(
            f"awareness.campaign-{name}", day, campaign, airing=self._new("A"), reach=self._any(2_000_000)
        )

    # What is refused: each of the fourteen is one mistake that systems make

    def _spoiled(self, day: int, /, **values: object) -> bytes:
        return self._certified(day, self._new("C"), self._trainee(), **values)

    def _collected(self, day: int, amount: str) -> bytes:
        return self._write(
            "revenue.collected", day, "PPP-1", receipt=self._new("R"), amount=amount, service=1,
            date=self._days.days[day], receipts=1,
        )  # fmt: skip

    def _foreign(self, day: int) -> bytes:
        return self._spoiled(day, agency="treasury")

    def _mismatch(self, day: int) -> bytes:
        return self._spoiled(day).replace(b"trainee/trn_", b"trainee/trn_a", 1)

    def _no_such_track(self, day: int) -> bytes:
        return self._spoiled(day, track="advanced")

    def _no_such_day(self, day: int) -> bytes:
        return self._spoiled(day, day="2005-02-30")

    def _fraction(self, day: int) -> bytes:
        return self._collected(day, "125000.0")

    def _huge(self, day: int) -> bytes:
        return self._collected(day, "9007199254740993")

    def _renamed(self, day: int) -> bytes:
        return self._spoiled(day).replace(b'"employer"', b'"employee"')

    def _unknown(self, day: int) -> bytes:
        return self._spoiled(day)[:-1] + b',"colour":"green"}'

    def _cut(self, day: int) -> bytes:
        return self._spoiled(day)[:-1]

    def _twice(self, day: int) -> bytes:
        return self._spoiled(day)[:-1] + b',"id":"again"}'

    def _no_such_type(self, day: int) -> bytes:
        return self._spoiled(day).replace(b"training.certified", b"training.awarded")

    def _personal(self, day: int) -> bytes:
        """A national id, as its holder's certificate number."""
        nine = f"1{self._any(10**8):08d}"
        check = next(digit for digit in "0123456789" if luhn_holds(nine + digit))
        return self._certified(day, f"C-{nine}{check}", self._trainee())

    def _conflict(self, day: int) -> bytes:
        """The id of an accepted event with other data."""
        if not self._certificates:
            return self._cut(day)
        return self._spoiled(day, id=self._certificates[-1][0])

    def _forbidden(self, day: int) -> bytes:
        return self._foreign(day) if self.code == OFFICE else self._quota(day)


def mixed(
    seed: int, events: int, agencies: Sequence[str] = AGENCIES, events_per_day: int = EVENTS_PER_DAY
) -> Iterator[Line]:
    """`events` lines of the office and the agencies, which alone must be registered before."""
    random, writers, days = Random(seed), make_writers(), _days()
    covered = min(len(days.days), 1 + events // events_per_day)
    office = Sender(OFFICE, random, writers, days, has_sequence=False)
    senders = [Sender(code, random, writers, days, number % 4 == 0) for number, code in enumerate(agencies)]
    opening: list[Line] = [(s.code, line, "accepted") for s in (office, *senders) for line in s.opening()]
    yield from opening[:events]
    for number in range(len(opening), events):
        sender = office if random.random() < OF_OFFICE else senders[int(random.random() * len(senders))]
        line, outcome = sender.next(number * covered // events)
        yield sender.code, line, outcome


def uniform(seed: int, events: int) -> Iterator[Line]:
    """Compact events of few types, all accepted (`bench.history`)."""
    for code, line in generate_bench(seed, events):
        yield code, line, "accepted"


def _days() -> Days:
    last = date.fromisoformat(LAST_DAY)
    days = [(FIRST_DAY + timedelta(days=number)).isoformat() for number in range((last - FIRST_DAY).days + 1)]
    labels = [[period_of(day, *calendar) for day in days] for calendar in CALENDARS]
    periods = [list(dict.fromkeys(each)) for each in labels]
    numbers = [{label: number for number, label in enumerate(each)} for each in periods]
    return Days(days, periods, [[numbers[n][label] for label in each] for n, each in enumerate(labels)])
