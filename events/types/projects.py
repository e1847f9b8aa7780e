"""Infrastructure and national application projects, phase by phase."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from events.faults.model import FreeL, L, Model
from events.values.bounds import PHASES_MAX
from events.values.fields import AgencyCode, Date, Id, PhaseNumber


class Phase(Model):
    phase: PhaseNumber
    name: L


class ProjectRegistered(Model):
    project_id: Id
    plan_id: Id
    kind: Literal["infrastructure", "national-application"]
    name: L
    phases: Annotated[list[Phase], Field(min_length=1, max_length=PHASES_MAX)]


class ProjectPhaseStarted(Model):
    project_id: Id
    phase: PhaseNumber
    on: Date


class ProjectPhaseCompleted(Model):
    project_id: Id
    phase: PhaseNumber
    on: Date


class ProjectPhaseReopened(Model):
    project_id: Id
    phase: PhaseNumber
    on: Date
    reason: FreeL


class ProjectCancelled(Model):
    project_id: Id
    on: Date
    reason: FreeL


class ProjectReassigned(Model):
    project_id: Id
    to: AgencyCode
    on: Date
    reason: FreeL
