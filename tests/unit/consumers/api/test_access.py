"""Reach: what each kind of caller may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumers.api.access import narrowed, programme_scope, scope_of, with_readable_history
from consumers.documents.access_scope import EVERYTHING, AccessScope
from consumers.documents.document import document_of
from consumers.documents.programme.directory import ServiceAndHistory
from events.validation.verdicts import Agency
from infra.http.callers import DEFAULT_SCOPES, Caller, Kind
from infra.http.problems import Problem
from tests.world.plan import SERVICE_ROW


def caller(kind: Kind, **changes: Any) -> Caller:
    agency = Agency("health", "office" if kind == "office" else "agency") if kind in ("agency", "office") else None
    partners = ("health/ACME",) if kind == "partner" else ()
    return replace(Caller("key", kind, "health", frozenset(DEFAULT_SCOPES[kind]), agency, partners=partners), **changes)


def code_of(work: Any, *arguments: Any) -> str:
    with pytest.raises(Problem) as caught:
        work(*arguments)
    return caught.value.code


def test_each_kind_has_its_reach() -> None:
    assert scope_of(caller("office")) == scope_of(caller("auditor")) == EVERYTHING
    assert scope_of(caller("agency")) == AccessScope(agency="health")
    assert scope_of(caller("partner")) == AccessScope(partners=("health/ACME",))
    without_log = caller("office", scopes=frozenset({"events:read"}))
    assert scope_of(without_log) == AccessScope(agency="health"), "as the agency that it is"


def test_who_may_read_nothing_reads_nothing() -> None:
    for kind in ("agency", "partner", "auditor", "office"):
        assert code_of(scope_of, caller(kind, scopes=frozenset({"events:write"}))) == "forbidden"
    for suspended in (caller("agency", is_suspended=True), caller("office", is_suspended=True)):
        assert code_of(scope_of, suspended) == "suspended"
    assert code_of(programme_scope, caller("partner")) == "forbidden"


def test_only_who_sees_everything_may_name_another_agency() -> None:
    assert narrowed(EVERYTHING, "labour") == AccessScope(agency="labour")
    assert narrowed(AccessScope(agency="health"), "health") == AccessScope(agency="health")
    assert narrowed(AccessScope(partners=("health/ACME",)), None) == AccessScope(partners=("health/ACME",))
    assert code_of(narrowed, AccessScope(agency="health"), "labour") == "forbidden"
    assert code_of(narrowed, AccessScope(partners=("health/ACME",)), "health") == "forbidden"


def test_what_another_agency_said_is_left_out_and_that_it_happened_is_not() -> None:
    fact = {"type": "service.launched", "happened_on": None, "phase": None}
    steps = [
        fact | {"index": index, "found_index": index, "agency": agency, "data": {"a": index}}
        for index, agency in ((1, "health"), (2, "labour"))
    ]
    document = document_of(ServiceAndHistory, SERVICE_ROW, history=steps)
    assert with_readable_history(document, EVERYTHING) == document
    shown = with_readable_history(document, AccessScope(agency="health")).history
    assert [step.data for step in shown] == [{"a": 1}, None]
    assert [step.index for step in shown] == [1, 2]
