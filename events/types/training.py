"""Training of state employees: quotas per year and track, certificates, revocations.

A trainee is a keyed pseudonym made by the agency: `trn_` and the base32 of an HMAC; never a person's number.
"""

from __future__ import annotations

from events.faults.model import FreeL, Model
from events.values.fields import AgencyCode, Calendar, Count, Date, Id, Track, Trainee, Year


class TrainingQuotaSet(Model):
    calendar: Calendar
    year: Year
    track: Track
    seats: Count


class TrainingCertified(Model):
    certificate_id: Id
    trainee: Trainee
    track: Track
    on: Date
    employer: AgencyCode


class TrainingRevoked(Model):
    certificate_id: Id
    trainee: Trainee
    on: Date
    reason: FreeL
