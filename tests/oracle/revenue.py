"""Partnerships and their money: R1–R14 over lists, and the transfers that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.oracle.contract import Contract, Posting, Receipt
from tests.oracle.findings import Finding, verdict
from tests.oracle.log import EntryDict, JsonObject, sender, short_type

SUM_MAX = 2**53 - 1
AMENDMENTS_MAX = 100
FIXED_TERMS = ("starts_on", "calendar", "period", "tier_basis")
COLLECTIONS, PAYABLE, TREASURY = "collections", "partner-payable", "treasury-share"
GUARANTEE, CASH = "guarantee-expense", "cash"


@dataclass(frozen=True)
class Transfer:
    """Money from one account to another, because of the entry at `index`."""

    index: int
    partnership_id: str
    debit: str
    credit: str
    amount_halalas: int


@dataclass
class Revenue:
    """All contracts by id, and all transfers in order."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)

    def apply(self, entry: EntryDict) -> list[Finding]:
        """Apply one `partnership.*` or `revenue.*` entry about a contract."""
        event = entry["event"]
        name, agency, data = short_type(event), sender(event), event["data"]
        if name == "partnership.signed":
            return [verdict(entry, self._sign(data, agency), agency)]
        judge = JUDGES.get(name)
        if judge is None:
            return []
        contract = self.contracts.get(data["partnership_id"])
        if contract is None:
            return [verdict(entry, "unknown-partnership")]
        if contract.owner != agency and name != "partnership.reassigned":
            return [verdict(entry, "not-owner")]
        return [verdict(entry, judge(self, contract, data, entry["index"]), contract.owner)]

    def _sign(self, data: JsonObject, agency: str) -> str | None:
        known = self.contracts.get(data["partnership_id"])
        if known is not None:
            return "already-signed" if known.owner == agency else "not-owner"
        contract = Contract(data["partnership_id"], agency, data["services"], [("", data["terms"])])
        self.contracts[contract.partnership_id] = contract
        return None

    def _amend(self, contract: Contract, data: JsonObject, index: int) -> str | None:
        terms, first = data["terms"], data["effective_from"]
        if (
            contract.terminated_on is not None
            or len(contract.versions) - 1 == AMENDMENTS_MAX
            or any(terms[name] != contract.signed_terms[name] for name in FIXED_TERMS)
            or first not in contract.periods(terms["ends_on"])
            or first in contract.closed
            or any(contract.period(posting.day) >= first for posting in contract.postings)
        ):
            return "not-allowed-now"
        contract.versions.append((first, terms))
        return None

    def _terminate(self, contract: Contract, data: JsonObject, index: int) -> str | None:
        day = data["on"]
        if contract.terminated_on is not None:
            return "already-terminated"
        if (
            not contract.starts_on <= day <= contract.last_day
            or contract.period(day) in contract.closed
            or day < contract.latest_counted_day()
        ):
            return "not-allowed-now"
        contract.terminated_on = day
        return None

    def _reassign(self, contract: Contract, data: JsonObject, index: int) -> str | None:
        contract.owner = data["to"]
        return None

    def _collect(self, contract: Contract, data: JsonObject, index: int) -> str | None:
        day, amount = data["collected_on"], data["amount_halalas"]
        if data["receipt_id"] in contract.receipts:
            return "already-collected"
        if data["service_id"] not in contract.services:
            return "unknown-service"
        if (
            not contract.starts_on <= day <= contract.last_day
            or contract.open_period is None
            or contract.collected_sum + amount > SUM_MAX
        ):
            return "not-allowed-now"
        contract.receipts[data["receipt_id"]] = Receipt(day, amount)
        contract.collected_sum += amount
        posting = contract.post(index, day, day, amount)
        self._move(contract, index, COLLECTIONS, PAYABLE, posting.partner)
        self._move(contract, index, COLLECTIONS, TREASURY, posting.treasury)
        return None

    def _reverse(self, contract: Contract, data: JsonObject, index: int) -> str | None:
        day, amount = data["reversed_on"], data["amount_halalas"]
        if data["reversal_id"] in contract.reversal_ids:
            return "already-reversed"
        receipt = contract.receipts.get(data["reverses"])
        if receipt is None:
            return "unknown-receipt"
        if day < receipt.day or contract.open_period is None:
            return "not-allowed-now"
        if amount > receipt.remainder:
            return "exceeds-remainder"
        contract.reversal_ids.add(data["reversal_id"])
        receipt.remainder -= amount
        posting: Posting = contract.post(index, day, receipt.day, -amount)
        self._move(contract, index, PAYABLE, COLLECTIONS, -posting.partner)
        self._move(contract, index, TREASURY, COLLECTIONS, -posting.treasury)
        return None

    def _close(self, contract: Contract, data: JsonObject, index: int) -> str | None:
        label = data["period"]
        if label in contract.closed:
            return "already-closed"
        if label != contract.open_period:
            return "period-closed-out-of-order"
        statement = contract.close(label, index)
        self._move(contract, index, GUARANTEE, PAYABLE, statement["top_up_halalas"])
        self._move(contract, index, PAYABLE, GUARANTEE, statement["recovered_halalas"])
        return None

    def _pay_out(self, contract: Contract, data: JsonObject, index: int) -> str | None:
        if data["payout_id"] in contract.payouts:
            return "already-paid-out"
        if data["amount_halalas"] > contract.payable:
            return "exceeds-payable"
        contract.payouts[data["payout_id"]] = data["amount_halalas"]
        self._move(contract, index, PAYABLE, CASH, data["amount_halalas"])
        return None

    def _move(self, contract: Contract, index: int, debit: str, credit: str, amount: int) -> None:
        """R14: zero amounts post nothing; no transfer is ever negative."""
        assert amount >= 0, (contract.partnership_id, index, debit, credit, amount)
        if amount:
            of = contract.partnership_id
            self.transfers.append(Transfer(index, of, f"{debit}:{of}", f"{credit}:{of}", amount))

    def balances(self) -> dict[str, dict[str, int]]:
        """Debits, credits and balance of each account that has a transfer."""
        sums: dict[str, list[int]] = {}
        for transfer in self.transfers:
            sums.setdefault(transfer.debit, [0, 0])[0] += transfer.amount_halalas
            sums.setdefault(transfer.credit, [0, 0])[1] += transfer.amount_halalas
        return {
            account: {"debits_halalas": debits, "credits_halalas": credits, "balance_halalas": debits - credits}
            for account, (debits, credits) in sorted(sums.items())
        }

    def statements(self) -> list[JsonObject]:
        """All statements, by partnership and in the order of closing."""
        return [statement for _, contract in sorted(self.contracts.items()) for statement in contract.statements]

    def plan_rows(self) -> list[JsonObject]:
        """The `partnerships` of `yesser plan`."""
        return [_plan_row(contract) for _, contract in sorted(self.contracts.items())]


def _plan_row(contract: Contract) -> JsonObject:
    net = sum(posting.amount for posting in contract.postings)
    statements = contract.statements
    partner = sum(posting.partner for posting in contract.postings)
    partner += sum(s["top_up_halalas"] - s["recovered_halalas"] for s in statements)
    open_period = contract.open_period
    labels = contract.closed + ([open_period] if open_period is not None else [])
    return {
        "partnership_id": contract.partnership_id,
        "agency": contract.owner,
        "expected_halalas": sum(contract.expected(label) for label in labels),
        "net_halalas": net,
        "partner_halalas": partner,
        "treasury_halalas": net - partner,
        "open_period": open_period,
    }


Judge = Callable[[Revenue, Contract, JsonObject, int], "str | None"]
JUDGES: dict[str, Judge] = {
    "partnership.amended": Revenue._amend,
    "partnership.terminated": Revenue._terminate,
    "partnership.reassigned": Revenue._reassign,
    "revenue.collected": Revenue._collect,
    "revenue.reversed": Revenue._reverse,
    "revenue.period-closed": Revenue._close,
    "revenue.paid-out": Revenue._pay_out,
}
