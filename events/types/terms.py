"""The terms of a partnership: how the revenue is shared. This is their form; R1–R14 define their meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from events.faults.model import Model
from events.values.bounds import BANDS_MAX, EXPECTED_MAX
from events.values.fields import (
    BasisPoints,
    Calendar,
    Date,
    NonNegativeHalalas,
    PeriodKind,
    PeriodLabel,
    PositiveHalalas,
)


class Band(Model):
    """The partner's share up to a cumulative amount; the last band has no limit (null)."""

    up_to_halalas: PositiveHalalas | None
    partner_bp: BasisPoints


class Cap(Model):
    """Beyond this share of the partner, only `partner_bp_after` is paid."""

    amount_halalas: NonNegativeHalalas
    partner_bp_after: BasisPoints


class Guarantee(Model):
    """The minimum share per period, as a part of its expected revenue."""

    partner_floor_bp_of_expected: BasisPoints
    recoverable: bool


class Expected(Model):
    """The expected revenue of one period."""

    period: PeriodLabel
    amount_halalas: NonNegativeHalalas


class Terms(Model):
    starts_on: Date
    ends_on: Date
    calendar: Calendar
    period: PeriodKind
    tier_basis: Literal["lifetime", "contract-year"]
    bands: Annotated[list[Band], Field(min_length=1, max_length=BANDS_MAX)]
    cap: Cap | None
    guarantee: Guarantee | None
    expected: Annotated[list[Expected], Field(max_length=EXPECTED_MAX)]
