"""The five-year plan and its targets."""

from __future__ import annotations

from pydantic import Field

from events.faults.model import FreeL, L, Model
from events.values.fields import Count, Date, Id


class ServiceTargets(Model):
    """The target number of services in each of the three groups."""

    first: Count = Field(alias="1")
    second: Count = Field(alias="2")
    third: Count = Field(alias="3")


class Targets(Model):
    """The targets of the plan."""

    infrastructure_projects: Count
    national_applications: Count
    services: ServiceTargets


class PlanAdopted(Model):
    plan_id: Id
    name: L
    starts_on: Date
    ends_on: Date
    targets: Targets


class PlanAmended(Model):
    plan_id: Id
    targets: Targets
    reason: FreeL
