"""Who an action is attributed to."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from infra.postgres.trail import BEFORE_THE_FIRST, NoOperator, link_hash, operator, row_bytes


def test_the_setting_names_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_OPERATOR", "night desk")
    assert operator() == "night desk"


def test_without_it_the_system_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YESSER_OPERATOR", raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: "aisha")
    assert operator() == "aisha"


def test_a_user_without_a_name_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.delenv("YESSER_OPERATOR", raising=False)
    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 10001)
    assert operator() == "uid 10001"


@pytest.mark.parametrize("name", ["1234567890", "desk 2123456789", "١٢٣٤٥٦٧٨٩٠"])
def test_an_operator_that_looks_like_a_national_id_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_OPERATOR", name)
    with pytest.raises(NoOperator, match="YESSER_OPERATOR"):
        operator()


def test_a_links_hash_is_that_of_the_documented_bytes() -> None:
    row = {
        "at": datetime(2026, 11, 25, 8, tzinfo=UTC),
        "role": "yesser_console",
        "account": "desk",
        "operator": None,
        "host": "h",
        "command": 'publish "x"',
        "event_ids": ["e1", "e2"],
    }
    expected = (
        b'{"account":"desk","at":"2026-11-25T08:00:00.000000Z","command":"publish \\"x\\"","event_ids":["e1","e2"],'
        b'"host":"h","operator":null,"position":7,"role":"yesser_console"}'
    )
    assert row_bytes(7, row) == expected
    assert link_hash(BEFORE_THE_FIRST, 7, row) == sha256(bytes(32) + expected).digest()
