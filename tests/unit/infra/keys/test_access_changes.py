"""Which access an older database has that was taken since, and the file that says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from infra.keys.access_changes import AccessChanges, Change, Kind, Made, lacking

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def change(kind: Kind, name: str, made: Made, minutes: int = 0) -> Change:
    return Change(NOON + timedelta(minutes=minutes), kind, name, made)


def account(**changes: Any) -> dict[str, Any]:
    return {"disabled_at": None, "password_hash": "x", "password_set_at": None, **changes}


def test_the_last_change_counts_and_what_was_made_after_the_copy_and_taken_again_is_no_loss() -> None:
    changes = [
        change("account", "desk", "disabled"),
        change("account", "desk", "enabled", 1),
        change("account", "press", "enabled"),
        change("account", "press", "disabled", 1),
        *(change("token", name, "added") for name in ("a", "b", "c")),
        change("token", "b", "revoked"),
    ]
    found = lacking(changes, {"c": None}, {"desk": account(), "press": account()})
    assert (found.disabled, found.still_disabled) == (["press"], [])
    assert (found.missing, found.revoked) == (["token a"], [])
    older = lacking(changes[:4], {}, {name: account(disabled_at=NOON) for name in ("desk", "press")})
    assert (older.disabled, older.still_disabled, older.applied) == ([], ["desk"], False)


def test_a_password_is_taken_that_is_older_than_its_replacement() -> None:
    changes = [change("account", "desk", "password", 5), change("account", "desk", "enabled", 6)]
    for set_at, expected in ((None, ["desk"]), (4, ["desk"]), (5, []), (9, [])):
        row = account(password_set_at=None if set_at is None else NOON + timedelta(minutes=set_at))
        assert lacking(changes, {}, {"desk": row}).without_password == expected
    assert lacking(changes, {}, {"desk": account(password_hash=None)}).without_password == []


async def test_a_line_that_a_crash_cut_is_named_and_harms_no_other(tmp_path: Path) -> None:
    file = AccessChanges(tmp_path / "access" / "changes")
    with pytest.raises(FileNotFoundError):
        file.read()
    clock: Any = SimpleNamespace(fetchval=AsyncMock(return_value=NOON))
    await file.add(clock, "token", "a", "revoked")
    with file.path.open("ab") as opened:
        opened.write(b'{"time":"20')
    await file.add(clock, "account", "desk", "disabled")
    assert file.read() == ([change("token", "a", "revoked"), change("account", "desk", "disabled")], [2])
    assert file.path.stat().st_mode & 0o777 == 0o600
