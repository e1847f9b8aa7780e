"""What each caller may read. What is out of a caller's scope is *not found*, so that its existence is not revealed."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from consumers.documents.access_scope import ALL_MONEY, EVERYTHING, AccessScope
from consumers.documents.programme.directory import ProjectAndHistory, ServiceAndHistory
from infra.http.callers import Caller
from infra.http.problems import Problem

D = TypeVar("D", ServiceAndHistory, ProjectAndHistory)


def scope_of(caller: Caller) -> AccessScope:
    """The scope for the log. Raises `Problem` (403) for a token that may read nothing."""
    if "log:read" in caller.scopes:
        caller.require("log:read")
        return EVERYTHING
    if caller.kind == "partner":
        caller.require("partnerships:read")
        return AccessScope(partners=caller.partners)
    caller.require("events:read")
    return AccessScope(agency=caller.require_agency().code)


def money_scope(caller: Caller) -> AccessScope:
    """The scope for the ledger: also for a token of the treasury. Raises `Problem` (403)."""
    if "ledger:read" in caller.scopes:
        caller.require("ledger:read")
        return ALL_MONEY
    return scope_of(caller)


def programme_scope(caller: Caller) -> AccessScope:
    """The scope for the programme. Raises `Problem` (403) for a partner."""
    scope = scope_of(caller)
    if scope.partners is not None:
        raise Problem("forbidden")
    return scope


def narrowed(scope: AccessScope, agency: str | None) -> AccessScope:
    """The scope limited to an agency. Raises `Problem` (403) if that agency is out of scope."""
    if agency is None or agency == scope.agency:
        return scope
    if scope != EVERYTHING:
        raise Problem("forbidden")
    return AccessScope(agency=agency)


def may_read(scope: AccessScope, agency: str) -> bool:
    """Whether events of this agency are in scope."""
    return scope == EVERYTHING or scope.agency == agency


def with_readable_history(document: D, scope: AccessScope) -> D:
    """A service or project. Its whole history is shown, but the `data` of each step only if its sender is in scope."""
    steps = (step if may_read(scope, step.agency) else replace(step, data=None) for step in document.history)
    return replace(document, history=tuple(steps))
