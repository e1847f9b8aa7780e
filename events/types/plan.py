"""The five-year plan: what it aims at."""

from __future__ import annotations

from pydantic import Field

from events.values.fields import Count, Date, Id, L, Model


class ServiceTargets(Model):
    """How many services each of the three groups is to have."""

    first: Count = Field(alias="1")
    second: Count = Field(alias="2")
    third: Count = Field(alias="3")


class Targets(Model):
    """What the plan wants to reach."""

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
    reason: L
