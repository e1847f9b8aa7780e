"""What a browser carries is opened with each key that is valid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from consumers.console.accounts.sealing import Sealer
from infra.keys.hash_keys import console_key_files, load_or_create_hash_keys
from infra.keys.rotation import rotate_hash_key
from infra.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_was_sealed_before_a_rotation_is_opened_until_the_overlap_ends(tmp_path: Path) -> None:
    settings, now = Settings(home=tmp_path), NOW
    files = console_key_files(settings)
    load_or_create_hash_keys(files)
    sealer, other = Sealer.of(settings, "browser", lambda: now), Sealer.of(settings, "oidc", lambda: now)
    before = sealer.seal(1)
    rotate_hash_key(files, 1, now)
    after = sealer.seal(2)
    assert (sealer.open(before), sealer.open(after), other.open(before)) == (1, 2, None)
    now += timedelta(days=1)
    assert (sealer.open(before), sealer.open(after)) == (None, 2)
    keyless = Sealer.of(Settings(home=tmp_path / "empty"), "browser", lambda: NOW)
    assert keyless.open(keyless.seal(1)) == 1, "without a key it opens what it sealed itself"
