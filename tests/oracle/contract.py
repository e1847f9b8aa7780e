"""One revenue-share contract as lists: versions, receipts, postings, statements (R1–R6, R12, R13)."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.oracle.calendars import contract_year, period_of, periods_between
from tests.oracle.log import JsonObject
from tests.oracle.pricing import ALL, floored_share


@dataclass(frozen=True)
class Posting:
    """A receipt or a reversal, as posted: the amount carries the sign, so do the two parts."""

    index: int
    day: str
    period: str
    of_closed_period: bool
    amount: int
    partner: int

    @property
    def treasury(self) -> int:
        return self.amount - self.partner


@dataclass
class Receipt:
    """A counted receipt; `remainder` is what was not reversed yet."""

    day: str
    remainder: int


@dataclass
class Contract:
    """Everything known about one partnership; `versions` are pairs of effective period and terms."""

    partnership_id: str
    owner: str
    services: list[str]
    versions: list[tuple[str, JsonObject]]
    terminated_on: str | None = None
    closed: list[str] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    collected_sum: int = 0
    reversal_ids: set[str] = field(default_factory=set)
    payouts: dict[str, int] = field(default_factory=dict)
    windows: dict[int, int] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    statements: list[JsonObject] = field(default_factory=list)
    outstanding: int = 0

    @property
    def signed_terms(self) -> JsonObject:
        return self.versions[0][1]

    @property
    def starts_on(self) -> str:
        return str(self.signed_terms["starts_on"])

    @property
    def last_day(self) -> str:
        """The lesser of `ends_on` of the latest amendment and the day of termination (R3)."""
        ends_on = str(self.versions[-1][1]["ends_on"])
        return ends_on if self.terminated_on is None else min(ends_on, self.terminated_on)

    def period(self, day: str) -> str:
        return period_of(day, self.signed_terms["calendar"], self.signed_terms["period"])

    def periods(self, last_day: str | None = None) -> tuple[str, ...]:
        terms = self.signed_terms
        return periods_between(self.starts_on, last_day or self.last_day, terms["calendar"], terms["period"])

    @property
    def open_period(self) -> str | None:
        """The earliest period that is not closed (R2)."""
        return next((label for label in self.periods() if label not in self.closed), None)

    def version_for(self, label: str) -> int:
        """The number of the version in force for that period (R5)."""
        return max(number for number, (first, _) in enumerate(self.versions) if first <= label)

    def terms_for(self, label: str) -> JsonObject:
        return self.versions[self.version_for(label)][1]

    def expected(self, label: str) -> int:
        entries = self.terms_for(label)["expected"]
        return sum(int(item["amount_halalas"]) for item in entries if item["period"] == label)

    def window(self, day: str) -> int:
        if self.signed_terms["tier_basis"] == "lifetime":
            return 0
        return contract_year(day, self.starts_on, self.signed_terms["calendar"])

    def latest_counted_day(self) -> str:
        """The latest date of a counted receipt or reversal; before all dates if there is none."""
        return max((posting.day for posting in self.postings), default="0000-00-00")

    def post(self, index: int, day: str, priced_day: str, amount: int) -> Posting:
        """Post an amount dated `day`, priced in the window and version of `priced_day` (R4, R8, R9)."""
        open_period = self.open_period
        assert open_period is not None
        label = min(self.period(day), self.periods()[-1])
        was_closed = label in self.closed
        window, terms = self.window(priced_day), self.terms_for(self.period(priced_day))
        before = self.windows.get(window, 0)
        after = before + amount
        self.windows[window] = after
        partner = floored_share(terms, after) - floored_share(terms, before)
        posting = Posting(index, day, open_period if was_closed else label, was_closed, amount, partner)
        self.postings.append(posting)
        return posting

    @property
    def payable(self) -> int:
        """R13."""
        settled = sum(int(statement["partner_total_halalas"]) for statement in self.statements)
        return settled - sum(self.payouts.values())

    def close(self, label: str, index: int) -> JsonObject:
        """Close the open period and give its statement (R11, R12)."""
        posted = [posting for posting in self.postings if posting.period == label]
        collected = sum(p.amount for p in posted if p.amount > 0)
        reversed_sum = -sum(p.amount for p in posted if p.amount < 0)
        base = sum(p.partner for p in posted)
        guarantee, top_up, recovered = self._guarantee(label, base)
        opening = self.statements[-1]["closing_cumulative_halalas"] if self.statements else 0
        net, total = collected - reversed_sum, base + top_up - recovered
        statement = {
            "partnership_id": self.partnership_id,
            "period": label,
            "contract_version": self.version_for(label),
            "opening_cumulative_halalas": opening,
            "collected_halalas": collected,
            "reversed_halalas": reversed_sum,
            "net_halalas": net,
            "prior_period_halalas": sum(p.amount for p in posted if p.of_closed_period),
            "closing_cumulative_halalas": opening + net,
            "partner_base_halalas": base,
            "guarantee_halalas": guarantee,
            "top_up_halalas": top_up,
            "recovered_halalas": recovered,
            "top_up_outstanding_halalas": self.outstanding,
            "partner_total_halalas": total,
            "treasury_total_halalas": net - total,
            "expected_halalas": self.expected(label),
            "first_index": min((p.index for p in posted), default=None),
            "last_index": max((p.index for p in posted), default=None),
            "closing_index": index,
        }
        self.closed.append(label)
        self.statements.append(statement)
        return statement

    def _guarantee(self, label: str, base: int) -> tuple[int, int, int]:
        """g, top-up and recovery of the period; moves what is outstanding."""
        terms = self.terms_for(label)["guarantee"]
        if terms is None:
            return 0, 0, 0
        guaranteed = int(terms["partner_floor_bp_of_expected"]) * self.expected(label) // ALL
        top_up, recovered = max(0, guaranteed - base), 0
        if terms["recoverable"]:
            recovered = min(self.outstanding, max(0, base - guaranteed))
            self.outstanding += top_up - recovered
        return guaranteed, top_up, recovered
