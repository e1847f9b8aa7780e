"""What the commands of keys ask of the database, where it cannot be asked."""

from __future__ import annotations

from pathlib import Path

from infra.keys.database import count_tokens
from infra.settings import Settings


def test_keys_are_listed_on_a_machine_without_the_administrators_password(tmp_path: Path) -> None:
    assert count_tokens(Settings(home=tmp_path, postgres="postgresql://127.0.0.1:1/yesser")) is None
