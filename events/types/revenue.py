"""Revenue under a partnership: receipts, reversals, closed periods, payouts, and the statement that is issued."""

from __future__ import annotations

from events.faults.model import FreeL, Model
from events.values.fields import (
    Count,
    Date,
    Id,
    Integer,
    NonNegativeHalalas,
    PeriodLabel,
    PositiveCount,
    PositiveHalalas,
)


class RevenueCollected(Model):
    receipt_id: Id
    partnership_id: Id
    service_id: Id
    amount_halalas: PositiveHalalas
    collected_on: Date
    receipts: PositiveCount


class RevenueReversed(Model):
    reversal_id: Id
    partnership_id: Id
    reverses: Id
    amount_halalas: PositiveHalalas
    reversed_on: Date
    reason: FreeL


class RevenuePeriodClosed(Model):
    """All receipts of this period have been sent."""

    partnership_id: Id
    period: PeriodLabel


class RevenuePaidOut(Model):
    payout_id: Id
    partnership_id: Id
    amount_halalas: PositiveHalalas
    paid_on: Date


class SettlementIssued(Model):
    """The statement of a closed period (R12)."""

    partnership_id: Id
    period: PeriodLabel
    contract_version: Count
    opening_cumulative_halalas: Integer
    collected_halalas: NonNegativeHalalas
    reversed_halalas: NonNegativeHalalas
    net_halalas: Integer
    prior_period_halalas: Integer
    closing_cumulative_halalas: Integer
    partner_base_halalas: Integer
    guarantee_halalas: NonNegativeHalalas
    top_up_halalas: NonNegativeHalalas
    recovered_halalas: NonNegativeHalalas
    top_up_outstanding_halalas: NonNegativeHalalas
    partner_total_halalas: Integer
    treasury_total_halalas: Integer
    expected_halalas: NonNegativeHalalas
    first_index: Count | None
    last_index: Count | None
    closing_index: Count
