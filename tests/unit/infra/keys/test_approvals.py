"""The rule of two people: when it is in force, and which approvals are good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.cli import cli
from infra.keys.approvals import (
    ACTS,
    VALID,
    Act,
    Rule,
    administrators,
    canonical,
    digest_of,
    fault_of,
    in_force,
    may_confirm,
)
from infra.keys.seals import Seals
from infra.keys.second_person import NotASandbox, is_in_force
from infra.settings import SANDBOX_FILE, Settings
from tests.every import every

SEALS = Seals(b"a key of the tests, long enough for it")
ASKED = datetime(2026, 11, 30, 8, tzinfo=UTC)
NAMES = {"night-desk", "day-desk"}
ARGUMENTS = {"topic": "agency.health.events", "offset": 17}
HOUR = timedelta(hours=1)
A_MOMENT = timedelta(microseconds=1)


def approval(act: Act = "erase", **changes: Any) -> dict[str, Any]:
    """An approval of two people, with the seal of what it says."""
    row: dict[str, Any] = {
        "approval_id": 7,
        "act": act,
        "arguments": canonical(ARGUMENTS),
        "role": "yesser_operator",
        "operator": "desk",
        "requested_at": ASKED,
        "first_by": "night-desk",
        "first_at": ASKED + HOUR,
        "second_by": "day-desk",
        "second_at": ASKED + 2 * HOUR,
        "used_at": None,
        **changes,
    }
    return {**row, "seal": SEALS.of_approval(row)} if "seal" not in changes else row


def fault(row: dict[str, Any], act: Act = "erase", now: datetime = ASKED + 3 * HOUR, arguments: Any = None) -> Any:
    return fault_of(row, digest_of(act, canonical(arguments or ARGUMENTS)), now, NAMES, SEALS)


@every("act", ACTS)
def test_two_administrators_approve_each_act_for_its_arguments_and_no_others(act: Act) -> None:
    assert fault(approval(act), act) is None
    assert fault(approval(act), act, arguments={**ARGUMENTS, "offset": 18}) == "another-act"
    others = [other for other in ACTS if other != act]
    assert {fault(approval(act), other) for other in others} == {"another-act"}
    assert {fault(approval(other), act) for other in others} == {"another-act"}


@every("act", ACTS)
@every(
    ("changes", "expected"),
    [
        ({"first_by": None, "first_at": None, "second_by": None, "second_at": None}, "not-confirmed"),
        ({"second_by": None, "second_at": None}, "not-confirmed"),
        ({"second_by": "night-desk"}, "one-person"),
        ({"second_by": "stranger"}, "not-administrators"),
        ({"used_at": ASKED + 2 * HOUR}, "used"),
        ({"seal": None}, "changed"),
        ({"seal": bytes(32)}, "changed"),
        ({"requested_at": ASKED - VALID}, "too-old"),
    ],
)
def test_nothing_less_approves(act: Act, changes: dict[str, Any], expected: str) -> None:
    assert fault(approval(act, **changes), act) == expected


@every(
    ("name", "value"),
    [
        ("approval_id", 8),
        *[(name, "somebody-else") for name in ("role", "operator", "first_by", "second_by")],
        *[(name, approval()[name] + A_MOMENT) for name in ("requested_at", "first_at", "second_at")],
    ],
)
def test_a_row_that_was_changed_after_it_was_sealed_approves_nothing(name: str, value: object) -> None:
    assert fault({**approval(), name: value}) == "changed"


def test_an_approval_is_used_within_a_day_of_its_second_confirmation() -> None:
    confirmed = ASKED + 2 * HOUR
    assert fault(approval(), now=confirmed + VALID) is None
    assert fault(approval(), now=confirmed + VALID + A_MOMENT) == "too-old"
    alone = approval(second_by=None, second_at=None)
    assert fault(alone, now=ASKED + VALID) == "not-confirmed"
    assert fault(alone, now=ASKED + VALID + A_MOMENT) == "too-old"


@every(
    ("rule", "count", "expected"),
    [
        *[("auto", 0, False), ("auto", 1, False), ("auto", 2, True), ("auto", 3, True)],
        *[("required", 0, True), ("required", 1, True), ("required", 2, True)],
        *[("off", 0, False), ("off", 2, False), ("off", 9, False)],
    ],
)
def test_the_rule_is_in_force_from_the_second_administrator_on(rule: Rule, count: int, expected: bool) -> None:
    assert in_force(rule, count) == expected


def account(username: str, role: str = "administrator", **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "username": username,
        "role": role,
        "holder": None,
        "team": None,
        "partners": [],
        "oidc_subject": None,
        "password_sha256": None,
        "must_change_password": False,
        "disabled_at": None,
    }
    return {**row, "seal": SEALS.of_account(row), **changes}


def test_administrators_are_the_enabled_accounts_with_their_seal_and_nobody_ends_the_rule_by_changing_a_row() -> None:
    gone = account("gone", disabled_at=ASKED)
    gone["seal"] = SEALS.of_account(gone)
    rows = [account("a"), account("b"), account("c", "office"), gone, account("old", seal=None)]
    found = administrators(rows, SEALS)
    assert (found.names, found.count) == (frozenset("ab"), 2)
    # Without the key no row says credibly that it is no administrator's.
    for changes in ({"disabled_at": ASKED}, {"role": "auditor"}, {"username": "z"}):
        found = administrators([account("a"), {**account("b"), **changes}], SEALS)
        assert (found.names, found.count) == (frozenset("a"), 2), changes


def test_nobody_confirms_twice_or_too_late() -> None:
    nobody: dict[str, Any] = {"first_by": None, "first_at": None, "second_by": None, "second_at": None}
    asked, proposed = approval(**nobody, seal=None), approval(second_by=None, second_at=None)
    assert may_confirm(asked, "night-desk", ASKED + VALID, SEALS)
    assert not may_confirm(asked, "night-desk", ASKED + VALID + A_MOMENT, SEALS)
    assert may_confirm(proposed, "day-desk", ASKED + 2 * HOUR, SEALS)
    assert not may_confirm(proposed, "night-desk", ASKED + 2 * HOUR, SEALS)
    assert not may_confirm({**proposed, "first_by": "day-desk"}, "night-desk", ASKED + 2 * HOUR, SEALS)
    assert not may_confirm(approval(), "third", ASKED + 3 * HOUR, SEALS)


def test_the_rule_is_off_in_a_sandbox_only(tmp_path: Path) -> None:
    two = administrators([account("a"), account("b")], SEALS)
    settings = Settings(home=tmp_path, second_person="off")
    with pytest.raises(NotASandbox, match="YESSER_SECOND_PERSON"):
        is_in_force(settings, two)
    (tmp_path / SANDBOX_FILE).write_text("{}", encoding="utf-8")
    assert not is_in_force(settings, two)
    with pytest.raises(NotASandbox):
        is_in_force(settings.model_copy(update={"postgres": "postgresql://db.example/yesser"}), two)


@every("reason", ["", "   ", "a\nb", "x" * 301, "the id is 1064971268", "الهوية ١٠٦٤٩٧١٢٦٨"])
def test_a_reason_to_act_alone_is_one_line_without_a_national_id(reason: str) -> None:
    result = CliRunner().invoke(cli, ["accounts", "password", "desk", "--break-glass", reason])
    assert result.exit_code == 2, result.output
    assert "reason" in result.output
