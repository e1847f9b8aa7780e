"""What one agency tells about its partnerships: contracts of every kind, receipts, reversals, closings, payouts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from random import Random

from tests.oracle.calendars import period_of, periods_between
from tests.oracle.desks import Desk, Fact
from tests.oracle.log import JsonObject
from tests.oracle.words import text

RATES = (10_000, 7_000, 6_667, 6_000, 5_000, 3_333, 1_000, 1, 0)
STARTS = ("2004-02-29", "2004-07-05", "2005-01-01", "2005-09-15", "2006-05-31", "2006-01-30", "2005-02-10")
SCALES = (100, 10_000, 10_000_000, 10_000_000_000)


@dataclass
class Draft:
    """What the desk remembers of a contract: enough to be sensible most of the time."""

    partnership_id: str
    services: list[str]
    terms: JsonObject
    scale: int
    closed: int = 0
    last_counted: str = ""
    receipts: list[tuple[str, str, int]] = field(default_factory=list)
    serial: int = 0
    terminated: bool = False

    def is_over(self) -> bool:
        """Whether it is terminated or all its periods are closed, as far as the desk knows."""
        return self.terminated or self.closed >= len(self.labels())

    def labels(self) -> tuple[str, ...]:
        terms = self.terms
        return periods_between(terms["starts_on"], terms["ends_on"], terms["calendar"], terms["period"])

    def next_id(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"


@cache
def days_of(starts_on: str, ends_on: str, calendar: str, kind: str) -> dict[str, list[str]]:
    """The days of the term by period."""
    first, last = date.fromisoformat(starts_on), date.fromisoformat(ends_on)
    days: dict[str, list[str]] = {}
    for number in range((last - first).days + 1):
        day = (first + timedelta(days=number)).isoformat()
        days.setdefault(period_of(day, calendar, kind), []).append(day)
    return days


def make_terms(random: Random, scale: int) -> JsonObject:
    """Terms of any shape; always well-formed."""
    starts_on = random.choice(STARTS)
    terms: JsonObject = {
        "starts_on": starts_on,
        "ends_on": _later(starts_on, random.choice((0, 40, 364, 365, 730, 1095, 1095))),
        "calendar": random.choice(("gregorian", "umm-al-qura")),
        "period": random.choice(("month", "quarter")),
        "tier_basis": random.choice(("lifetime", "contract-year")),
    }
    return {**terms, **money_terms(random, scale, terms)}


def money_terms(random: Random, scale: int, terms: JsonObject) -> JsonObject:
    """The members that an amendment may change, but for `ends_on`."""
    limits = sorted(random.sample(range(1, scale * 8 + 8), random.randrange(4)))
    bands = [{"up_to_halalas": limit, "partner_bp": random.choice(RATES)} for limit in [*limits, None]]
    cap = {"amount_halalas": random.choice((0, scale, scale * 5)), "partner_bp_after": random.choice(RATES)}
    guarantee = {"partner_floor_bp_of_expected": random.choice(RATES), "recoverable": random.random() < 0.5}
    guaranteed = random.random() < 0.5
    labels = periods_between(terms["starts_on"], terms["ends_on"], terms["calendar"], terms["period"])
    expected = [{"period": label, "amount_halalas": random.randrange(scale * 2)} for label in labels]
    return {
        "bands": bands,
        "cap": cap if random.random() < 0.4 else None,
        "guarantee": guarantee if guaranteed else None,
        "expected": expected if guaranteed or random.random() < 0.3 else [],
    }


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


@dataclass
class ContractsDesk(Desk):
    """Signs a contract for every few dozen facts, and works on the last ones most."""

    facts_per_contract: int = 60
    drafts: list[Draft] = field(default_factory=list)
    signed: int = 0
    given: int = 0

    def fact(self) -> Fact:
        random = self.random
        self.given += 1
        if not self.drafts or self.signed * self.facts_per_contract < self.given:
            return self._sign()
        draft = random.choice(self.drafts[-8:])
        if draft.is_over() and random.random() < 0.3:
            self.drafts.remove(draft)
        if self.errs() and random.random() < 0.5:
            return self._mistake(draft)
        choice = random.random()
        if choice < 0.66 or not draft.receipts:
            return self._collect(draft)
        if choice < 0.78:
            return self._reverse(draft)
        if choice < 0.90:
            return self._close(draft)
        if choice < 0.95:
            return self._pay_out(draft)
        if choice < 0.985:
            return self._amend(draft)
        return self._terminate(draft)

    def _sign(self) -> Fact:
        random, scale = self.random, self.random.choice(SCALES)
        partnership_id = self.next_id("PPP")
        services = [f"{partnership_id}-S{n}" for n in range(1, random.randint(2, 4))]
        draft = Draft(partnership_id, services, make_terms(random, scale), scale)
        self.drafts.append(draft)
        self.signed += 1
        self.shared.contracts.append((partnership_id, services[0]))
        return self._signed(draft)

    def _signed(self, draft: Draft) -> Fact:
        data = {
            "partner": {"partner_id": f"{draft.partnership_id}-CO", "name": text(self.random)},
            "services": draft.services,
            "legal_basis": text(self.random),
            "signed_on": draft.terms["starts_on"],
            "terms": draft.terms,
        }
        return self._about(draft.partnership_id, "partnership.signed", data)

    def _day(self, draft: Draft) -> str:
        """Mostly in the open period, sometimes later, sometimes late."""
        random, terms = self.random, draft.terms
        days = days_of(terms["starts_on"], terms["ends_on"], terms["calendar"], terms["period"])
        labels = draft.labels()
        choice = random.random()
        if choice < 0.75:
            label = labels[min(draft.closed, len(labels) - 1)]
        elif choice < 0.85:
            label = labels[min(draft.closed + 1, len(labels) - 1)]
        else:
            label = random.choice(labels[: draft.closed + 1])
        return random.choice((days[label][0], days[label][-1], random.choice(days[label])))

    def _collect(self, draft: Draft) -> Fact:
        random = self.random
        day, amount = self._day(draft), random.choice((1, random.randint(1, 100), random.randint(1, draft.scale)))
        receipt_id = draft.next_id("R")
        draft.receipts.append((receipt_id, day, amount))
        draft.last_counted = max(draft.last_counted, day)
        return self._receipt(draft.partnership_id, receipt_id, random.choice(draft.services), day, amount)

    def _receipt(self, partnership_id: str, receipt_id: str, service_id: str, day: str, amount: int) -> Fact:
        data = {
            "receipt_id": receipt_id, "service_id": service_id, "amount_halalas": amount, "collected_on": day,
            "receipts": self.random.randint(1, 400),
        }  # fmt: skip
        return self._about(partnership_id, "revenue.collected", data)

    def _reverse(self, draft: Draft) -> Fact:
        random = self.random
        receipt_id, collected_on, amount = random.choice(draft.receipts[-10:])
        part = random.choice((amount, random.randint(1, amount)))
        day = max(collected_on, self._day(draft)) if random.random() < 0.9 else _later(draft.terms["ends_on"], 3)
        draft.last_counted = max(draft.last_counted, day)
        return self._reversal(draft, draft.next_id("V"), receipt_id, part, day)

    def _reversal(self, draft: Draft, reversal_id: str, receipt_id: str, amount: int, day: str) -> Fact:
        data = {
            "reversal_id": reversal_id, "reverses": receipt_id, "amount_halalas": amount, "reversed_on": day,
            "reason": text(self.random),
        }  # fmt: skip
        return self._about(draft.partnership_id, "revenue.reversed", data)

    def _close(self, draft: Draft) -> Fact:
        labels = draft.labels()
        label = labels[min(draft.closed, len(labels) - 1)]
        draft.closed += 1
        return self._about(draft.partnership_id, "revenue.period-closed", {"period": label})

    def _pay_out(self, draft: Draft) -> Fact:
        amount = self.random.choice((1, self.random.randint(1, max(1, draft.scale // 4))))
        data = {
            "payout_id": draft.next_id("P"), "amount_halalas": amount, "paid_on": self._day(draft)
        }  # fmt: skip
        return self._about(draft.partnership_id, "revenue.paid-out", data)

    def _amend(self, draft: Draft) -> Fact:
        """New bands, and often another last day; from a period after the last counted date, if there is one."""
        random = self.random
        terms = dict(draft.terms)
        if random.random() < 0.6:
            terms["ends_on"] = max(terms["starts_on"], _later(terms["ends_on"], random.choice((-40, 31, 92, 200))))
        terms |= money_terms(random, draft.scale, terms)
        labels = periods_between(terms["starts_on"], terms["ends_on"], terms["calendar"], terms["period"])
        last = period_of(draft.last_counted or terms["starts_on"], terms["calendar"], terms["period"])
        later = [label for label in labels[draft.closed :] if label > last]
        if later and terms["ends_on"] >= draft.last_counted:
            draft.terms = terms
        effective_from = random.choice(later[:2]) if later else random.choice(labels)
        data = {"effective_from": effective_from, "terms": terms, "reason": text(random)}
        return self._about(draft.partnership_id, "partnership.amended", data)

    def _terminate(self, draft: Draft) -> Fact:
        day = max(draft.last_counted, self._day(draft))
        draft.terminated = True
        data = {"on": day, "reason": text(self.random)}
        return self._about(draft.partnership_id, "partnership.terminated", data)

    def _mistake(self, draft: Draft) -> Fact:
        random, day, service_id = self.random, self._day(draft), draft.services[0]
        used = random.choice(draft.receipts)[0] if draft.receipts else "R-NONE"
        foreign_id, foreign_service = random.choice(self.shared.contracts)
        label = random.choice((*draft.labels(), "1426-Q1", "2005-01", "2077-12"))
        partnership_id = draft.partnership_id
        choices: list[Fact] = [
            self._signed(draft),
            self._receipt(foreign_id, "R-FOREIGN", foreign_service, day, 5),
            self._receipt("PPP-NOBODY", "R-NOBODY", service_id, day, 5),
            self._receipt(partnership_id, used, service_id, day, 5),
            self._receipt(partnership_id, draft.next_id("R"), "NOT-A-SERVICE", day, 5),
            self._receipt(partnership_id, draft.next_id("R"), service_id, "2003-12-31", 5),
            self._receipt(partnership_id, draft.next_id("R") if draft.receipts else used, service_id, day, 2**53 - 1),
            self._reversal(draft, draft.next_id("V"), "R-NONE", 1, day),
            self._reversal(draft, draft.next_id("V"), used, draft.scale + 1, "2019-01-01"),
            self._reversal(draft, draft.next_id("V"), used, 1, "2003-12-31"),
            self._about(partnership_id, "revenue.period-closed", {"period": label}),
            self._about(
                partnership_id,
                "revenue.paid-out",
                {"payout_id": draft.next_id("P"), "amount_halalas": 2**53 - 1, "paid_on": day},
            ),
            self._about(partnership_id, "partnership.terminated", {"on": "2003-12-31", "reason": text(random)}),
        ]
        return random.choice(choices)

    def _about(self, partnership_id: str, name: str, data: JsonObject) -> Fact:
        return name, f"partnership/{partnership_id}", {"partnership_id": partnership_id, **data}
