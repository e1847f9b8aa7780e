"""Who an action is attributed to."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from unittest.mock import Mock

import pytest

from infra.postgres.trail import BEFORE_THE_FIRST, NoOperator, link_hash, operator, row_bytes


def test_the_operator_is_named_by_the_setting_or_the_system_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", Mock(side_effect=["aisha", KeyError("uid not found: 10001")]))
    monkeypatch.setattr("os.getuid", lambda: 10001)
    monkeypatch.setenv("YESSER_OPERATOR", "night desk")
    assert operator() == "night desk"
    monkeypatch.delenv("YESSER_OPERATOR")
    assert [operator(), operator()] == ["aisha", "uid 10001"]
    for name in ("1234567890", "desk 2123456789", "١٢٣٤٥٦٧٨٩٠"):
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
