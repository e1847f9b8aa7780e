"""Settings come from the environment, have their unit in the name, and find the embedded stack of their home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.settings import Settings
from tests.every import every


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"YESSER_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_no_lease_is_so_long_that_a_process_with_another_setting_takes_it_for_one_of_a_wrong_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YESSER_LEASE_MS", "60000")
    assert Settings().lease_ms == 60_000
    for wrong in ("60001", "-1"):
        monkeypatch.setenv("YESSER_LEASE_MS", wrong)
        with pytest.raises(ValidationError, match="lease_ms"):
            Settings()


@pytest.mark.parametrize("name", ["HEALTH_PORT", "GATEWAY_PORT", "CONSOLE_PORT"])
def test_a_port_that_no_machine_has_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"YESSER_{name}", "65535")
    assert getattr(Settings(), name.lower()) == 65_535
    monkeypatch.setenv(f"YESSER_{name}", "65536")
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_every_setting_has_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_a_lease_is_renewed_several_times_before_it_ends_and_ends_within_the_ten_seconds_of_a_take_over() -> None:
    settings = Settings()
    assert settings.lease_renew_ms * 3 < settings.lease_ms
    assert settings.lease_ms + settings.idle_in_transaction_timeout_ms < 10_000


def test_no_password_is_shown() -> None:
    settings = Settings(kafka_password="hidden", postgres="postgresql://a:hidden@b", outbox_token="hidden")
    assert "hidden" not in repr(settings)


def test_the_principal_is_chosen_by_the_code_and_never_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_PRINCIPAL", "registrar")
    settings = Settings()
    assert settings.principal == "reader"
    assert settings.acting_as("relay").model_copy().principal == "relay"
    assert settings.principal == "reader"


def test_the_stack_of_the_home_is_found(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.stack() is None
    assert settings.secret("kafka") is None
    (tmp_path / "stack.json").write_text(json.dumps({"kafka": {"port": 1}}), encoding="utf-8")
    (tmp_path / "secrets" / "relay").mkdir(parents=True)
    (tmp_path / "secrets" / "relay" / "kafka").write_text("word\n", encoding="utf-8")
    assert settings.stack() == {"kafka": {"port": 1}}
    assert settings.secret("kafka") is None, "the folder of another principal"
    assert settings.acting_as("relay").secret("kafka") == "word"
    assert settings.log_folder == tmp_path / "log"


@every("damaged", [b"", b"{", b"\xff", b"null"])
def test_a_damaged_record_of_a_stack_is_as_good_as_none(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "stack.json").write_bytes(damaged)
    assert Settings(home=tmp_path).stack() is None
