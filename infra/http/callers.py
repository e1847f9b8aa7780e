"""Who sends a request, and what he may do. The gateway recognises callers; every router asks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from events.validation.verdicts import Agency
from infra.http.problems import Problem
from infra.postgres.verdicts import Paused

Kind = Literal["agency", "office", "partner", "auditor"]
Scope = Literal["events:write", "events:read", "log:read", "partnerships:read"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

DEFAULT_SCOPES: Final[dict[Kind, tuple[Scope, ...]]] = {
    "agency": ("events:write", "events:read"),
    "office": ("events:write", "events:read", "log:read"),
    "partner": ("partnerships:read",),
    "auditor": ("log:read",),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `agency` is set for agencies and the office, if the log knows them."""

    name: str
    """The token's key id, or a JWT's subject: what limits are counted by."""

    kind: Kind
    holder: str
    scopes: frozenset[Scope]
    agency: Agency | None
    is_suspended: bool = False
    paused: Paused | None = None
    """The agency's topic is read slowly: what it sends is durable, and its verdict takes longer."""

    def require(self, scope: Scope) -> None:
        """Raises `Problem` (403) unless this caller has the scope and is not suspended."""
        if self.is_suspended:
            raise Problem("suspended")
        if scope not in self.scopes:
            raise Problem("forbidden")

    def require_agency(self) -> Agency:
        """The agency it speaks for. Raises `Problem` (403) for anybody else."""
        if self.agency is None:
            raise Problem("forbidden")
        return self.agency
