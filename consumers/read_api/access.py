"""Who may read what. What is not within a caller's reach is *not found*, so that nothing is told of its existence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from consumers.access_scope import EVERYTHING, AccessScope
from infra.http.callers import Caller
from infra.http.problems import Problem


def reach_of(caller: Caller) -> AccessScope:
    """What the caller may see of money and of the log. Raises `Problem` (403) for a token that may read nothing."""
    if "log:read" in caller.scopes:
        caller.require("log:read")
        return EVERYTHING
    if caller.kind == "partner":
        caller.require("partnerships:read")
        return AccessScope(partner=caller.holder)
    caller.require("events:read")
    return AccessScope(agency=caller.require_agency().code)


def programme_reach(caller: Caller) -> AccessScope:
    """What the caller may see of the programme: agencies, office and auditors, never a partner (403)."""
    reach = reach_of(caller)
    if reach.partner is not None:
        raise Problem("forbidden")
    return reach


def narrowed(reach: AccessScope, agency: str | None) -> AccessScope:
    """What is left of a reach where an agency is asked for. Raises `Problem` (403) where another's is."""
    if agency is None or agency == reach.agency:
        return reach
    if reach != EVERYTHING:
        raise Problem("forbidden")
    return AccessScope(agency=agency)


def without_words_of_others(steps: Iterable[Mapping[str, Any]], reach: AccessScope) -> list[dict[str, Any]]:
    """Steps of a history: that each was taken is the programme's, what was said (`data`) is its sender's."""
    return [{**step, "data": step["data"] if may_read(reach, step["agency"]) else None} for step in steps]


def may_read(reach: AccessScope, agency: str) -> bool:
    """Whether what this agency says is within reach."""
    return reach == EVERYTHING or reach.agency == agency


def with_readable_history(document: Mapping[str, Any], reach: AccessScope) -> dict[str, Any]:
    """A service or project whose history keeps others' words to itself."""
    return {**document, "history": without_words_of_others(document["history"], reach)}
