"""Electronic services, from registration to retirement."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from events.faults.model import FreeL, L, Model
from events.values.bounds import CHANNELS_MAX
from events.values.fields import AgencyCode, Date, Id, Url


class ServiceRegistered(Model):
    service_id: Id
    plan_id: Id
    group: Annotated[int, Field(ge=1, le=3)]
    name: L


ServiceChannel = Literal["web", "mobile", "kiosk", "phone", "counter"]


class ServiceLaunched(Model):
    service_id: Id
    on: Date
    channels: Annotated[list[ServiceChannel], Field(min_length=1, max_length=CHANNELS_MAX)]
    # Absent or a URL: an explicit null is refused, so None is only the default.
    url: Url = None  # type: ignore[assignment]


class ServiceSuspended(Model):
    service_id: Id
    on: Date
    reason: FreeL


class ServiceResumed(Model):
    service_id: Id
    on: Date


class ServiceRetired(Model):
    service_id: Id
    on: Date
    reason: FreeL


class ServiceReassigned(Model):
    service_id: Id
    to: AgencyCode
    on: Date
    reason: FreeL
