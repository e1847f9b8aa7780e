"""Moves of a strategy about contracts and money: small numbers, dates at the edges of periods and years."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.builder import AGENCIES, TEXT, Builder
from tests.oracle.calendars import periods_between
from tests.oracle.contract import Contract
from tests.oracle.form import INTEGER_MAX
from tests.oracle.log import JsonObject

DAYS = (
    "2004-02-28", "2004-02-29", "2004-12-31", "2005-01-30", "2005-01-31", "2005-02-09", "2005-02-10", "2005-02-28",
    "2005-03-01", "2005-03-11", "2005-04-09", "2005-07-01", "2006-01-30", "2006-01-31", "2006-02-28", "2006-03-06",
)  # fmt: skip
TERMS_OF_TIME = (
    ("2005-01-30", "2005-01-30"), ("2005-01-30", "2005-03-11"), ("2005-01-31", "2006-02-28"),
    ("2004-02-29", "2005-07-01"), ("2004-02-29", "2006-03-06"),
)  # fmt: skip
RATES = (0, 1, 3333, 5000, 7000, 10_000)


def draw_terms(b: Builder, time: tuple[str, str] | None = None, like: JsonObject | None = None) -> JsonObject:
    """Well-formed terms of small numbers; `like` fixes what an amendment may not change."""
    starts_on, ends_on = time or TERMS_OF_TIME[b.number(0, len(TERMS_OF_TIME) - 1)]
    fixed = like or {
        "starts_on": starts_on,
        "calendar": b.pick("gregorian", "umm-al-qura"),
        "period": b.pick("month", "quarter"),
        "tier_basis": b.pick("lifetime", "contract-year"),
    }
    kept = {name: fixed[name] for name in ("starts_on", "calendar", "period", "tier_basis")}
    limits = sorted({b.number(1, 60) for _ in range(b.number(0, 3))})
    rates = st.sampled_from(RATES)
    labels = periods_between(kept["starts_on"], ends_on, kept["calendar"], kept["period"])
    guarantee = {"partner_floor_bp_of_expected": b.draw(rates), "recoverable": not b.sometimes(4)}
    guaranteed = b.sometimes(2)
    return {
        **kept,
        "ends_on": ends_on,
        "bands": [{"up_to_halalas": limit, "partner_bp": b.draw(rates)} for limit in [*limits, None]],
        "cap": {"amount_halalas": b.number(0, 40), "partner_bp_after": b.draw(rates)} if b.sometimes(2) else None,
        "guarantee": guarantee if guaranteed else None,
        "expected": [{"period": p, "amount_halalas": b.number(0, 40)} for p in labels] if guaranteed else [],
    }


def contract_move(b: Builder) -> None:
    """A contract is signed, amended, terminated or reassigned."""
    partnership_id = b.pick("C1", "C2")
    contract = b.oracle.revenue.contracts.get(partnership_id)
    again = ("amended", "amended", "amended", "amended", "terminated", "signed", "reassigned")
    verb = b.pick(*again) if contract else "signed"
    agency = contract.owner if contract and not b.sometimes(8) else b.pick(*AGENCIES)
    data: JsonObject = {"partnership_id": partnership_id}
    if verb == "signed":
        data |= {"partner": {"partner_id": "CO", "name": TEXT}, "services": ["S1", "S2"], "legal_basis": TEXT}
        data |= {"signed_on": DAYS[0], "terms": draw_terms(b)}
    elif verb == "reassigned":
        agency, data = "yesser", {**data, "to": b.pick(*AGENCIES), "on": DAYS[0], "reason": TEXT}
    elif verb == "terminated":
        data |= {"on": _day(b, contract, contract.latest_counted_day()) if contract else DAYS[0], "reason": TEXT}
    else:
        assert contract is not None
        data |= _amendment(b, contract)
    b.tell(agency, (f"partnership.{verb}", f"partnership/{partnership_id}", data))


def _amendment(b: Builder, contract: Contract) -> JsonObject:
    """Often from a period in which nothing is counted yet; sometimes with other terms than may change."""
    starts_on, kept = contract.starts_on, None if b.sometimes(10) else contract.signed_terms
    latest = max(starts_on, contract.latest_counted_day())
    ends_on = b.pick(DAYS[-1], *(day for day in DAYS if day >= (starts_on if b.sometimes(5) else latest)))
    terms = draw_terms(b, (starts_on, ends_on), kept)
    labels = periods_between(starts_on, ends_on, terms["calendar"], terms["period"])
    free = [label for label in labels if label not in contract.closed and contract.period(latest) < label]
    effective_from = b.pick(*free) if free and not b.sometimes(6) else b.pick(*labels)
    return {"effective_from": effective_from, "terms": terms, "reason": TEXT}


def money_move(b: Builder) -> None:
    """A receipt, a reversal, a closing or a payout of one of two contracts."""
    contracts = b.oracle.revenue.contracts
    partnership_id = b.pick(*sorted(contracts)) if contracts and not b.sometimes(20) else b.pick("C1", "C2")
    contract = contracts.get(partnership_id)
    if contract is None or b.sometimes(25):
        blind_move(b, partnership_id)
        return
    agency = b.pick(*AGENCIES) if b.sometimes(12) else contract.owner
    verbs = ("collected", "collected", "reversed", "period-closed", "paid-out")
    verb = b.pick("collected", "collected", *verbs) if contract.receipts else b.pick("collected", "period-closed")
    detail = {"collected": _receipt, "reversed": _reversal, "period-closed": _closing, "paid-out": _payout}[verb]
    data = detail(b, contract)
    b.tell(agency, (f"revenue.{verb}", f"partnership/{partnership_id}", {"partnership_id": partnership_id, **data}))


def blind_move(b: Builder, partnership_id: str) -> None:
    """A receipt of anyone, whether or not there is such a contract."""
    data = {"receipt_id": "R1", "service_id": "S1", "amount_halalas": 1, "collected_on": b.pick(*DAYS), "receipts": 1}
    fact = ("revenue.collected", f"partnership/{partnership_id}", {"partnership_id": partnership_id, **data})
    b.tell(b.pick(*AGENCIES), fact)


def _day(b: Builder, contract: Contract, first: str) -> str:
    """Mostly a day of the term from `first` on; sometimes any."""
    days = [day for day in DAYS if first <= day <= contract.last_day]
    return b.pick(*days) if days and not b.sometimes(6) else b.pick(*DAYS)


def _receipt(b: Builder, contract: Contract) -> JsonObject:
    new_id = f"R{len(contract.receipts) + 1}"
    return {
        "receipt_id": b.pick(new_id, "R1") if b.sometimes(6) else new_id,
        "service_id": b.pick("S1", "S2", "S3") if b.sometimes(6) else "S1",
        "amount_halalas": INTEGER_MAX if b.sometimes(60) else b.number(1, 45),
        "collected_on": _day(b, contract, contract.starts_on),
        "receipts": 1,
    }


def _reversal(b: Builder, contract: Contract) -> JsonObject:
    receipt_id = b.pick(*sorted(contract.receipts))
    receipt = contract.receipts[receipt_id]
    new_id = f"V{len(contract.reversal_ids) + 1}"
    part = b.number(1, max(1, receipt.remainder))
    return {
        "reversal_id": b.pick(new_id, "V1") if b.sometimes(6) else new_id,
        "reverses": "R0" if b.sometimes(12) else receipt_id,
        "amount_halalas": min(INTEGER_MAX, part + receipt.remainder) if b.sometimes(8) else part,
        "reversed_on": _day(b, contract, receipt.day),
        "reason": TEXT,
    }


def _closing(b: Builder, contract: Contract) -> JsonObject:
    label = contract.open_period
    others = ("2005-01", "2005-03", "2005-Q1", "1425-12", "1426-01", "1426-Q1", "1426-Q4", *contract.closed)
    return {"period": b.pick(*others) if label is None or b.sometimes(8) else label}


def _payout(b: Builder, contract: Contract) -> JsonObject:
    new_id, payable = f"P{len(contract.payouts) + 1}", min(INTEGER_MAX - 1, max(1, contract.payable))
    amount = payable + 1 if b.sometimes(5) else b.number(1, payable)
    return {"payout_id": "P1" if b.sometimes(8) else new_id, "amount_halalas": amount, "paid_on": DAYS[0]}


def revenue_move(b: Builder) -> None:
    """Mostly money; contracts change now and then."""
    without_contract = not b.oracle.revenue.contracts
    (contract_move if without_contract or b.sometimes(7) else money_move)(b)
