"""Partnerships with the private sector: workshops, the framework, contracts (Resolution 110 of 5/4/1425H), and their
terms: how the revenue is shared. This is their form; R1–R14 define their meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from events.faults.model import FreeL, L, Model
from events.values.bounds import BANDS_MAX, EXPECTED_MAX, PARTNERS_MAX, SERVICES_MAX
from events.values.fields import (
    AgencyCode,
    BasisPoints,
    Calendar,
    Date,
    FreeText,
    Id,
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


class PartnershipWorkshopAnnounced(Model):
    workshop_id: Id
    topic: L
    on: Date
    place: FreeL
    partners: Annotated[list[L], Field(max_length=PARTNERS_MAX), FreeText()]


class PartnershipWorkshopHeld(Model):
    workshop_id: Id
    topic: L
    on: Date
    place: FreeL
    partners: Annotated[list[L], Field(max_length=PARTNERS_MAX), FreeText()]


class PartnershipFrameworkPublished(Model):
    framework_id: Id
    title: L
    legal_basis: L
    on: Date


class Partner(Model):
    partner_id: Id
    name: L


class PartnershipSigned(Model):
    partnership_id: Id
    partner: Partner
    services: Annotated[list[Id], Field(min_length=1, max_length=SERVICES_MAX)]
    legal_basis: L
    signed_on: Date
    terms: Terms


class PartnershipAmended(Model):
    partnership_id: Id
    effective_from: PeriodLabel
    terms: Terms
    reason: FreeL


class PartnershipTerminated(Model):
    partnership_id: Id
    on: Date
    reason: FreeL


class PartnershipReassigned(Model):
    partnership_id: Id
    to: AgencyCode
    on: Date
    reason: FreeL
