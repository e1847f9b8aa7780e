"""The sender of a request and its permissions. The gateway authenticates callers; every router checks them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from events.validation.verdicts import Agency
from infra.http.problems import Problem
from infra.postgres.verdicts import Paused

Kind = Literal["agency", "office", "partner", "treasury", "auditor"]
Scope = Literal["events:write", "events:read", "log:read", "partnerships:read", "ledger:read", "teams:manage"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

DEFAULT_SCOPES: Final[dict[Kind, tuple[Scope, ...]]] = {
    "agency": ("events:write", "events:read", "teams:manage"),
    "office": ("events:write", "events:read", "log:read", "teams:manage"),
    "partner": ("partnerships:read",),
    "treasury": ("ledger:read",),
    "auditor": ("log:read",),
}

CONSOLE_CERTIFICATE: Final = "console"
"""The name in the console's certificate: no holder has it, and the console's tokens count with no other."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request. `agency` is set for registered agencies and the office."""

    name: str
    """The token's key id, or a JWT's subject: limits count per key."""

    kind: Kind
    holder: str
    scopes: frozenset[Scope]
    agency: Agency | None
    is_suspended: bool = False
    partners: tuple[str, ...] = ()
    """Of a partner: AGENCY/PARTNER_ID, each the id that this agency uses for it."""

    is_changed: bool = False
    """Whether the token's row is not the one that was created: the caller may do nothing."""

    account: str | None = None
    """The account of the console that sends."""

    halted: str | None = None
    """Why the agency's topic is halted: its events are stored, and have no verdict until an operator has acted."""

    expires_at: datetime | None = None
    """When the token ends, if it says so."""

    paused: Paused | None = None
    """The pause of the agency's topic: its events are stored, their verdicts take longer."""

    @property
    def quota_name(self) -> str:
        """The holder, under whose name quotas count all its tokens together."""
        return f"{self.kind}/{self.holder}"

    @property
    def certificate_name(self) -> str:
        """The name of the sender's certificate: the console's, or the holder's; of an agency and the office, that of
        their Kafka user."""
        if self.account is not None:
            return CONSOLE_CERTIFICATE
        kind = "agency" if self.kind == "office" else self.kind
        return f"{kind}-{self.holder}"

    def require_certificate(self, name: str | None) -> None:
        """Raises `Problem` (403) unless the client showed the certificate of this name."""
        if name != self.certificate_name:
            raise Problem("wrong-certificate")

    def require(self, scope: Scope) -> None:
        """Raises `Problem` (403) unless the caller has the scope and is not suspended."""
        if self.is_suspended:
            raise Problem("suspended")
        if scope not in self.scopes:
            raise Problem("forbidden")

    def require_agency(self) -> Agency:
        """The caller's agency. Raises `Problem` (403) if it has none."""
        if self.agency is None:
            raise Problem("forbidden")
        return self.agency
