"""The accounts of a partnership, the transfers between them (events.md §4, R14), and what a table of a partner or of a
bank gives beside the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from consumers.documents.document import Count, Date, Halalas, Label, Labelled, Listing, Name, Period


class AccountKind(Labelled):
    """What an account's name begins with; the id of its partnership follows after a colon."""

    COLLECTIONS = "collections", "الإيرادات المحصّلة", "Collections"
    PARTNER_PAYABLE = "partner-payable", "المتراكم للشريك", "Accrued to the partner"
    TREASURY_SHARE = "treasury-share", "حصة الخزينة", "Treasury share"
    GUARANTEE_EXPENSE = "guarantee-expense", "مصروف الضمان", "Guarantee expense"
    CASH = "cash", "النقد المدفوع", "Cash"


class TransferKind(Labelled):
    RECEIPT_PARTNER = "receipt-partner", "تحصيل", "Receipt"
    RECEIPT_TREASURY = "receipt-treasury", "تحصيل", "Receipt"
    REVERSAL_PARTNER = "reversal-partner", "رد", "Reversal"
    REVERSAL_TREASURY = "reversal-treasury", "رد", "Reversal"
    TOP_UP = "top-up", "تكملة", "Top-up"
    RECOVERY = "recovery", "استرداد", "Recovery"
    PAYOUT = "payout", "صرف", "Payout"


Rule = Annotated[
    Literal["R8", "R9", "R12", "R13"],
    Label("القاعدة", "Rule", drop=2),
    Meta(description="Of the revenue share, by its number."),
]
RULES: Final = {
    "receipt-partner": "R8",
    "receipt-treasury": "R8",
    "reversal-partner": "R9",
    "reversal-treasury": "R9",
    "top-up": "R12",
    "recovery": "R12",
    "payout": "R13",
}
"""Kind of transfer → the rule by which it is posted, named as in `docs/events.md`."""
_MEANINGS: Final = {
    AccountKind.COLLECTIONS: (Name("محصّل", "Collected"), Name("رُدّ أكثر مما حُصّل", "More reversed than collected")),
    AccountKind.PARTNER_PAYABLE: (
        Name(
            "متراكم على الشريك، ومنه الفترات غير المقفلة",
            "Accrued against the partner, with the periods that are not closed",
        ),
        Name("متراكم للشريك، ومنه الفترات غير المقفلة", "Accrued to the partner, with the periods that are not closed"),
    ),
    AccountKind.TREASURY_SHARE: (
        Name("على الخزينة", "Against the treasury"),
        Name("للخزينة", "For the treasury"),
    ),
    AccountKind.GUARANTEE_EXPENSE: (
        Name("تكملات تتحملها الخزينة", "Top-ups that the treasury bears"),
        Name("استُرد أكثر مما كُمّل", "More recovered than topped up"),
    ),
    AccountKind.CASH: (None, Name("صُرف للشريك", "Paid to the partner")),
}
"""What a debit and what a credit balance of an account means."""


class Balance(Struct, frozen=True, kw_only=True):
    """The sums of an account's transfers. Its balance is debits − credits. A sum of several has no account."""

    READ_FIRST: ClassVar = ("account", "kind")

    account: Annotated[str, Label("الحساب", "Account")]
    debits_halalas: Annotated[Halalas, Label("مدين", "Debits", drop=1)]
    credits_halalas: Annotated[Halalas, Label("دائن", "Credits", drop=1)]
    balance_halalas: Annotated[Halalas, Label("الرصيد", "Balance")]

    @property
    def kind(self) -> Annotated[AccountKind | None, Label("النوع", "Kind", drop=3)]:
        return kind_of(self.account) if self.account else None

    @property
    def meaning(self) -> Annotated[Name | None, Label("المعنى", "Meaning", drop=2)]:
        return balance_meaning(self.account, self.balance_halalas)


class Account(Struct, frozen=True, kw_only=True):
    """An account of one partnership."""

    kind: Annotated[AccountKind, Label("الحساب", "Account")]
    account: str
    debits_halalas: Annotated[Halalas, Label("مدين", "Debits")]
    credits_halalas: Annotated[Halalas, Label("دائن", "Credits")]
    balance_halalas: Annotated[Halalas, Label("الرصيد", "Balance")]
    transfers_count: Count
    first_index: Count
    last_index: Count

    @property
    def meaning(self) -> Annotated[Name | None, Label("المعنى", "Meaning")]:
        return balance_meaning(self.account, self.balance_halalas)


def _debited(transfer: Transfer | ExplainedTransfer) -> Annotated[AccountKind, Label("مدين", "Debit")]:
    return kind_of(transfer.debit)


def _credited(transfer: Transfer | ExplainedTransfer) -> Annotated[AccountKind, Label("دائن", "Credit")]:
    return kind_of(transfer.credit)


class Transfer(Struct, frozen=True, kw_only=True):
    """An amount from one account to another. `line` numbers the transfers of one entry."""

    READ_FIRST: ClassVar = ("index", "kind", "period", "contract_version", "rule", "debited", "credited")

    index: Annotated[Count, Label("رقم القيد", "Log entry")]
    line: Count
    kind: Annotated[TransferKind, Label("النوع", "Kind", drop=1)]
    period: Annotated[Period | None, Label("الفترة", "Period")]
    contract_version: Annotated[
        Count | None,
        Label("النسخة", "Version", drop=3),
        Meta(description="That priced it; null for a payout."),
    ]
    window: Annotated[
        Count | None, Meta(description="0 for the whole life, else the contract year; null if not priced.")
    ]
    debit: Annotated[str, Label("مدين", "Debit", is_detail=True)]
    credit: Annotated[str, Label("دائن", "Credit", is_detail=True)]
    amount_halalas: Annotated[Halalas, Label("المبلغ", "Amount")]
    rule: Rule

    debited = property(_debited)
    credited = property(_credited)


class ExplainedTransfer(Struct, frozen=True, kw_only=True):
    """A transfer that a figure or an account is the sum of, as the fold has it."""

    READ_FIRST: ClassVar = ("index", "kind", "period", "rule", "debited", "credited")

    index: Annotated[Count, Label("رقم القيد", "Log entry")]
    line: Count
    partnership_id: str
    period: Annotated[Period | None, Label("الفترة", "Period")]
    kind: Annotated[TransferKind, Label("النوع", "Kind", drop=1)]
    debit: Annotated[str, Label("مدين", "Debit", is_detail=True)]
    credit: Annotated[str, Label("دائن", "Credit", is_detail=True)]
    amount_halalas: Annotated[Halalas, Label("المبلغ", "Amount")]
    rule: Rule

    debited = property(_debited)
    credited = property(_credited)


class Balances(Struct, frozen=True, kw_only=True):
    log_index: Count
    accounts: tuple[Balance, ...]


class Transfers(Struct, frozen=True, kw_only=True):
    """Of one partnership."""

    log_index: Count
    partnership_id: str
    transfers: tuple[Transfer, ...]


def kind_of(account: str) -> AccountKind:
    """The kind of an account, by its name."""
    return AccountKind(account.partition(":")[0])


def balance_meaning(account: str, balance_halalas: int) -> Name | None:
    """What a balance of an account means; None for zero, and for a sum of several accounts."""
    if balance_halalas == 0 or not account:
        return None
    debit, credit = _MEANINGS[kind_of(account)]
    return debit if balance_halalas > 0 else credit


def sum_of(accounts: Sequence[Balance]) -> Balance:
    names = ("debits_halalas", "credits_halalas", "balance_halalas")
    return Balance(account="", **{name: sum(getattr(row, name) for row in accounts) for name in names})


TRANSFERS: Final = Listing("تحويلات الشراكة بالريال", "Transfers of the partnership, in riyals", Transfer)
EXPLAINED_TRANSFERS: Final = Listing("التحويلات بالريال", "Transfers, in riyals", ExplainedTransfer)


class FindingKind(Labelled):
    MATCHED = "matched", "متطابق", "Matched"
    DIFFERENT = "different", "مختلف", "Different"
    MISSING_IN_LOG = "missing-in-log", "ناقص في السجل", "Missing in the log"
    MISSING_IN_FILE = "missing-in-file", "ناقص في الملف", "Missing in the file"
    DOUBLED = "doubled", "مكرر", "Doubled"
    UNREADABLE = "unreadable", "لا يُقرأ", "Unreadable"


class ReadRow(Struct, frozen=True, kw_only=True):
    """A row of a table as it was read. `written_on` and `written_amount` are anybody's text.

    `amount_halalas`: None also for an amount of another currency.
    """

    line: Annotated[int, Label("السطر", "Line")]
    id: Annotated[str | None, Label("المعرّف", "Id")]
    written_on: Annotated[str | None, Label("التاريخ كما كُتب", "Date as written")]
    dated_on: Annotated[Date | None, Label("التاريخ", "Date")]
    written_amount: Annotated[str | None, Label("المبلغ كما كُتب", "Amount as written")]
    amount_halalas: Annotated[Halalas | None, Label("المبلغ", "Amount")]


class Finding(Struct, frozen=True):
    """A row, an entry, or both, and how they compare. `id` and `dated_on` are anybody's text.

    `file_halalas`: None also for an amount of another currency.
    """

    READ_FIRST: ClassVar = ("finding",)

    kind: FindingKind
    line: Annotated[int | None, Label("السطر", "Line")]
    index: Annotated[int | None, Label("القيد", "Entry")]
    id: Annotated[str | None, Label("المعرّف", "Id", drop=1)]
    dated_on: Annotated[str | None, Label("التاريخ", "Date", is_detail=True)]
    file_halalas: Annotated[Halalas | None, Label("الملف", "File")]
    log_halalas: Annotated[Halalas | None, Label("السجل", "Log")]
    reason: Annotated[Name | None, Label("السبب", "Reason")] = None

    @property
    def finding(self) -> Annotated[FindingKind, Label("النتيجة", "Finding")]:
        """The kind, as files name it."""
        return self.kind


READ_ROWS: Final = Listing("أول السطور كما قُرئت", "The first rows as they are read", ReadRow)
