"""Events about the platform itself: agencies and their status, the catalogue in force, refusals, commitments, and the
canary that an agency sends."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from events.faults.model import L, Model
from events.faults.problems import Code
from events.values.bounds import FAULTS_MAX
from events.values.fields import AgencyCode, Count, Id, PositiveCount, Role, Sha256, Text

ADDRESS_PATTERN: Final = r"^[A-Za-z0-9._-]{1,249}/(?:0|[1-9][0-9]{0,9})/(?:0|[1-9][0-9]{0,18})$"
CLAIMED_SOURCE_PATTERN: Final = r"^urn:yesser:agency:[a-z][a-z0-9-]{1,30}$"
CLAIMED_ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
CLAIMED_TYPE_PATTERN: Final = r"^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$"
CLAIMED_TYPE_LENGTH_MAX: Final = 128
POINTER_PATTERN: Final = r"^(?:/(?:[^\x00/~]|~[01])*)*$"
TEXT_POINTER_PATTERN: Final = r"^/data/[a-z][a-z_]{0,63}$"
PROBLEM_TYPE_PATTERN: Final = r"^urn:yesser:problem:[a-z0-9-]+$"
RELEASE_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$"

Address = Annotated[str, StringConstraints(pattern=ADDRESS_PATTERN)]


class RegistryAgencyRegistered(Model):
    code: AgencyCode
    name: L
    role: Role


class RegistryAgencySuspended(Model):
    code: AgencyCode
    reason: L


class RegistryAgencyResumed(Model):
    code: AgencyCode
    reason: L


class RegistryTextWithheld(Model):
    """The text of `pointer` in the event of the log's entry `entry` is withheld: its text and its salt are deleted."""

    entry: Count
    pointer: Annotated[str, StringConstraints(pattern=TEXT_POINTER_PATTERN)]
    reason: L
    legal_basis: L


class CanarySent(Model):
    """Sent from `origin` to measure an event's way to the figures. It changes none of them."""

    origin: Id


class RegistrarCatalogueAdopted(Model):
    """`sha256` is that of `events.schema_tools.schema_documents`, `release` the version of the registrar."""

    sha256: Sha256
    release: Annotated[str, StringConstraints(pattern=RELEASE_PATTERN)]


class RefusalError(Model):
    """One fault: a code of the closed list, a JSON pointer into the event as claimed, and a sentence."""

    code: Code
    pointer: Annotated[str, StringConstraints(pattern=POINTER_PATTERN)]
    detail: Text


class Problem(Model):
    """RFC 9457: `type` is `urn:yesser:problem:<first code>`, `title` that code's title."""

    type: Annotated[str, StringConstraints(pattern=PROBLEM_TYPE_PATTERN)]
    title: L
    errors: Annotated[list[RefusalError], Field(min_length=1, max_length=FAULTS_MAX)]
    # The number of faults that are not listed, so that an entry keeps its size limit.
    unlisted: PositiveCount = None  # type: ignore[assignment]


class RegistrarRefused(Model):
    """`address` is that of the refused record. `claimed_*` only where well-formed and free of personal data."""

    address: Address
    sha256: Sha256 = None  # type: ignore[assignment]
    claimed_source: Annotated[str, StringConstraints(pattern=CLAIMED_SOURCE_PATTERN)] = None  # type: ignore[assignment]
    claimed_id: Annotated[str, StringConstraints(pattern=CLAIMED_ID_PATTERN)] = None  # type: ignore[assignment]
    claimed_type: Annotated[
        str, StringConstraints(pattern=CLAIMED_TYPE_PATTERN, max_length=CLAIMED_TYPE_LENGTH_MAX)
    ] = None  # type: ignore[assignment]
    problem: Problem


class ProjectionCommitted(Model):
    name: Id
    log_index: Count
    rows: Count
    sha256: Sha256
    # The version of the fold that made the rows; absent in those of earlier releases.
    fold_version: Id = None  # type: ignore[assignment]


class ProjectionCommitmentAcknowledged(Model):
    """`commitment_index` is the index of the wrong commitment's entry."""

    name: Id
    commitment_index: Count
    reason: L
