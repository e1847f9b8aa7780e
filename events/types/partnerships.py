"""Partnerships with the private sector: workshops, the framework, contracts (Resolution 110 of 5/4/1425H)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from events.faults.model import L, Model
from events.types.terms import Terms
from events.values.bounds import PARTNERS_MAX, SERVICES_MAX
from events.values.fields import AgencyCode, Date, Id, PeriodLabel


class PartnershipWorkshopAnnounced(Model):
    workshop_id: Id
    topic: L
    on: Date
    place: L
    partners: Annotated[list[L], Field(max_length=PARTNERS_MAX)]


class PartnershipWorkshopHeld(Model):
    workshop_id: Id
    topic: L
    on: Date
    place: L
    partners: Annotated[list[L], Field(max_length=PARTNERS_MAX)]


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
    reason: L


class PartnershipTerminated(Model):
    partnership_id: Id
    on: Date
    reason: L


class PartnershipReassigned(Model):
    partnership_id: Id
    to: AgencyCode
    on: Date
    reason: L
