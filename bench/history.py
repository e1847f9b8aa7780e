"""A long, good history for measuring: only events that are accepted and hardly ever contradict, 360–500 bytes each.

About 45 % receipts, 40 % certificates, 10 % services and projects, 5 % others (reversals, closings, payouts,
initiatives). It is a stream: nothing is kept but a few numbers per contract, so a million events take seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from tests.oracle.calendars import period_of
from tests.oracle.log import full_type, make_event

BenchLine = tuple[str, bytes]
AGENCIES = ("interior", "health", "justice", "commerce", "education", "municipal-affairs", "labour", "customs")
FIRST_DAY, DAYS = date(2005, 1, 1), 1826
CONTRACTS_PER_AGENCY = 25
EVENTS_PER_DAY = 350  # few enough closings, and receipts of each contract in each month
LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")
TEXT_AR, TEXT_EN = "تجديد الرخص إلكترونياً عبر البوابة", "Licence renewal through the portal"
TEXT = f'{{"ar":"{TEXT_AR}","en":"{TEXT_EN}"}}'
DATA = {
    "revenue.collected": '{"partnership_id":"%s","receipt_id":"R-%07d","service_id":"%s-LICENCE-RENEWAL",'
    '"amount_halalas":%d,"collected_on":"%s","receipts":%d}',
    "revenue.reversed": '{"partnership_id":"%s","reversal_id":"V-%07d","reverses":"R-%07d","amount_halalas":1,'
    '"reversed_on":"%s","reason":' + TEXT + "}",
    "revenue.period-closed": '{"partnership_id":"%s","period":"%s"}',
    "revenue.paid-out": '{"partnership_id":"%s","payout_id":"P-%07d","amount_halalas":1,"paid_on":"%s"}',
    "training.certified": '{"certificate_id":"CRT-%07d","trainee":"trn_%s","track":"%s","on":"%s","employer":"%s"}',
    "service.registered": '{"service_id":"%s","plan_id":"FIVE-YEAR","group":%d,"name":' + TEXT + "}",
    "service.launched": '{"service_id":"%s","on":"%s","channels":["web","mobile","counter"],'
    '"url":"https://services.example/%s"}',
    "service.suspended": '{"service_id":"%s","on":"%s","reason":' + TEXT + "}",
    "service.resumed": '{"service_id":"%s","on":"%s"}',
    "project.registered": '{"project_id":"%s","plan_id":"FIVE-YEAR","kind":"infrastructure","name":'
    + TEXT
    + ',"phases":[{"phase":1,"name":{"ar":"س","en":"x"}}]}',
    "project.phase-started": '{"project_id":"%s","phase":1,"on":"%s"}',
    "awareness.initiative-announced": '{"initiative_id":"%s","name":' + TEXT + ',"aim":' + TEXT + ',"on":"%s"}',
}


@dataclass
class BenchContract:
    """A contract that is closed period by period as the days pass."""

    partnership_id: str
    calendar: str
    kind: str
    last_receipt: int = 0
    open_label: str = ""
    closed: bool = False


@dataclass
class BenchAgency:
    """One agency's numbers."""

    code: str
    number: int
    contracts: list[BenchContract] = field(default_factory=list)
    services: int = 0
    launched: int = 0
    suspended: int = 0
    cycles: int = 0
    projects: int = 0
    events: int = 0


@dataclass
class BenchWriter:
    """Formats one event after the other."""

    random: Random
    agency: BenchAgency
    days: list[str]
    labels: dict[tuple[str, str], list[str]]
    of_each_max: int | None = None
    serial: int = 0

    def write(self, name: str, subject: str, today: str, *values: object) -> BenchLine:
        """The line of an event whose data is the type's template filled with `values`."""
        agency = self.agency
        agency.events += 1
        line = (
            f'{{"specversion":"1.0","id":"{name}-{agency.events:07d}","source":"urn:yesser:agency:{agency.code}",'
            f'"type":"{full_type(name)}","subject":"{subject}","time":"{today}T08:15:30+03:00",'
            f'"datacontenttype":"application/json","data":{DATA[name] % values}}}'
        )
        return agency.code, line.encode()

    def event(self, day_number: int) -> BenchLine:
        """The next event, dated the `day_number`-th day."""
        choice, today = self.random.random(), self.days[day_number]
        if choice < 0.45:
            return self._receipt(day_number, today)
        if choice < 0.85:
            return self._certificate(today)
        if choice < 0.95:
            return self._service(today) if choice < 0.93 else self._project(today)
        return self._other(today)

    def _contract(self) -> BenchContract:
        return self.agency.contracts[self.random.randrange(CONTRACTS_PER_AGENCY)]

    def _receipt(self, day_number: int, today: str) -> BenchLine:
        contract = self._contract()
        label = self.labels[contract.calendar, contract.kind][day_number]
        if contract.open_label != label:
            closed, contract.open_label = contract.open_label, label
            if closed:
                contract.closed = True
                return self.write("revenue.period-closed", f"partnership/{contract.partnership_id}", today,
                                  contract.partnership_id, closed)  # fmt: skip
        self.serial += 1
        contract.last_receipt = self.serial
        return self.write(
            "revenue.collected", f"partnership/{contract.partnership_id}", today, contract.partnership_id,
            self.serial, contract.partnership_id, self.random.randint(100, 500_000), today,
            self.random.randint(1, 400),
        )  # fmt: skip

    def _certificate(self, today: str) -> BenchLine:
        self.serial += 1
        trainee = b"%026x" % self.random.getrandbits(104)
        letters = trainee.translate(LETTERS).decode()
        track = ("usage", "usage", "specialist", "leadership")[self.serial % 4]
        return self.write(
            "training.certified", f"trainee/trn_{letters}", today, self.serial, letters, track, today, self.agency.code
        )

    def _service(self, today: str) -> BenchLine:
        """Mostly a suspension and its end in turn; a launch now and then (each makes a campaign)."""
        agency, choice = self.agency, self.random.random()
        if choice < 0.04 and agency.launched < agency.services:
            agency.launched += 1
            service_id = f"SVC-{agency.code}-{agency.launched}"
            return self.write("service.launched", f"service/{service_id}", today, service_id, today, service_id)
        if choice < 0.5 and agency.suspended:
            service_id, agency.suspended = f"SVC-{agency.code}-{agency.suspended}", 0
            return self.write("service.resumed", f"service/{service_id}", today, service_id, today)
        if choice < 0.5 and agency.launched:
            agency.cycles += 1
            agency.suspended = agency.cycles % agency.launched + 1
            service_id = f"SVC-{agency.code}-{agency.suspended}"
            return self.write("service.suspended", f"service/{service_id}", today, service_id, today)
        if agency.services == self.of_each_max:
            return self._certificate(today)
        agency.services += 1
        service_id = f"SVC-{agency.code}-{agency.services}"
        return self.write("service.registered", f"service/{service_id}", today, service_id, agency.services % 3 + 1)

    def _project(self, today: str) -> BenchLine:
        agency = self.agency
        if self.of_each_max is not None and agency.projects == 2 * self.of_each_max:
            return self._certificate(today)
        agency.projects += 1
        project_id = f"PRJ-{agency.code}-{(agency.projects + 1) // 2}"
        if agency.projects % 2:
            return self.write("project.registered", f"project/{project_id}", today, project_id)
        return self.write("project.phase-started", f"project/{project_id}", today, project_id, today)

    def _other(self, today: str) -> BenchLine:
        contract, choice = self._contract(), self.random.random()
        self.serial += 1
        if choice < 0.03 or not contract.last_receipt:
            initiative_id = f"INI-{self.agency.code}-{self.serial}"
            return self.write(
                "awareness.initiative-announced", f"initiative/{initiative_id}", today, initiative_id, today
            )
        subject, partnership_id = f"partnership/{contract.partnership_id}", contract.partnership_id
        if choice < 0.9 or not contract.closed:
            return self.write(
                "revenue.reversed", subject, today, partnership_id, self.serial, contract.last_receipt, today
            )
        return self.write("revenue.paid-out", subject, today, partnership_id, self.serial, today)


def generate_bench(seed: int, events: int, agencies: int = 8, *, of_each_max: int | None = None) -> Iterator[BenchLine]:
    """Yield (agency, line), `events` of them; the office `yesser` comes first, the others register nothing else.

    With `of_each_max` an agency has at most so many services and projects, and certificates take the place of others.
    """
    random = Random(seed)
    days = [(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(DAYS)]
    kinds = [("gregorian", "month"), ("umm-al-qura", "month"), ("gregorian", "quarter"), ("umm-al-qura", "quarter")]
    labels = {pair: [period_of(day, *pair) for day in days] for pair in kinds}
    writers = []
    for number, code in enumerate(AGENCIES[:agencies]):
        agency = BenchAgency(code, number)
        agency.contracts = [
            BenchContract(f"PPP-{code}-{n:04d}", *kinds[n % len(kinds)]) for n in range(CONTRACTS_PER_AGENCY)
        ]
        writers.append(BenchWriter(random, agency, days, labels, of_each_max))
    opening = [*_office(), *(line for writer in writers for line in _signatures(writer.agency))]
    yield from opening[:events]
    told_days = min(DAYS, 1 + events // EVENTS_PER_DAY)
    for number in range(len(opening), events):
        yield writers[int(random.random() * len(writers))].event(number * told_days // events)


def bench_agencies(agencies: int = 8) -> list[str]:
    """The codes of those that speak in such a history, beside `yesser`."""
    return list(AGENCIES[:agencies])


def _office() -> Iterator[BenchLine]:
    text = {"ar": TEXT_AR, "en": TEXT_EN}
    services = dict.fromkeys("123", 1000000)
    targets = {"infrastructure_projects": 6, "national_applications": 3, "services": services}
    plan = {"plan_id": "FIVE-YEAR", "name": text, "starts_on": "2005-01-01", "ends_on": "2009-12-31"}
    adopted = make_event("plan.adopted", "yesser", "plan/FIVE-YEAR", {**plan, "targets": targets}, "plan-1")
    yield "yesser", _compact(adopted)
    for year in range(2005, 2010):
        for track in ("usage", "specialist", "leadership"):
            subject = f"quota/gregorian/{year}/{track}"
            data = {"calendar": "gregorian", "year": year, "track": track, "seats": 100_000_000}
            event_id = f"quota-{year}-{track}"
            yield "yesser", _compact(make_event("training.quota-set", "yesser", subject, data, event_id))


def _signatures(agency: BenchAgency) -> Iterator[BenchLine]:
    text = {"ar": TEXT_AR, "en": TEXT_EN}
    for number, contract in enumerate(agency.contracts):
        terms = {
            "starts_on": FIRST_DAY.isoformat(), "ends_on": "2009-12-31", "calendar": contract.calendar,
            "period": contract.kind, "tier_basis": ("lifetime", "contract-year")[number % 2],
            "bands": [
                {"up_to_halalas": 50_000_000, "partner_bp": 7_000}, {"up_to_halalas": None, "partner_bp": 5_000}
            ],
            "cap": None, "guarantee": None, "expected": [],
        }  # fmt: skip
        partner = {"partner_id": f"CO-{number}", "name": text}
        data = {
            "partnership_id": contract.partnership_id, "partner": partner,
            "services": [f"{contract.partnership_id}-LICENCE-RENEWAL"], "legal_basis": text,
            "signed_on": "2004-12-01", "terms": terms,
        }  # fmt: skip
        subject = f"partnership/{contract.partnership_id}"
        signed = make_event("partnership.signed", agency.code, subject, data, f"signed-{number}")
        yield agency.code, _compact(signed)


def _compact(event: dict[str, object]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
