"""Settings come from the environment, have their unit in the name, and find the embedded stack of their home."""

from __future__ import annotations

import ast
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

import infra.settings
from infra.settings import STACK_FILE, Settings
from infra.stack_record import ProcessRecord, ServiceRecord, StackRecord
from tests.every import every
from tests.paths import syntax_of


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"YESSER_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@every(
    ("name", "greatest", "beyond"),
    [("LEASE_MS", 60_000, 60_001), ("LEASE_MS", 60_000, -1)]
    + [(f"{server}_PORT", 65_535, 65_536) for server in ("HEALTH", "GATEWAY", "CONSOLE")],
)
def test_a_lease_is_not_so_long_that_others_take_it_for_one_of_a_wrong_clock_and_a_port_is_one_of_a_machine(
    monkeypatch: pytest.MonkeyPatch, name: str, greatest: int, beyond: int
) -> None:
    monkeypatch.setenv(f"YESSER_{name}", str(greatest))
    assert getattr(Settings(), name.lower()) == greatest
    monkeypatch.setenv(f"YESSER_{name}", str(beyond))
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
    monkeypatch.delenv(f"YESSER_{name}")


def test_every_setting_has_a_sentence() -> None:
    (settings,) = (node for node in syntax_of(Path(infra.settings.__file__)).body if isinstance(node, ast.ClassDef))
    found = {
        ast.unparse(name).partition(":")[0]
        for name, text in pairwise(settings.body)
        if str(getattr(getattr(text, "value", None), "value", "")).endswith(".")
    }
    assert found >= Settings.model_fields.keys()


def test_no_password_is_shown() -> None:
    settings = Settings(kafka_password="hidden", postgres="postgresql://a:hidden@b", outbox_token="hidden")
    assert "hidden" not in repr(settings)


def test_a_lease_is_renewed_several_times_before_it_ends_and_ends_within_the_ten_seconds_of_a_take_over() -> None:
    settings = Settings()
    assert settings.lease_renew_ms * 3 < settings.lease_ms
    assert settings.lease_ms + settings.idle_in_transaction_timeout_ms < 10_000


def test_the_principal_is_chosen_by_the_code_and_never_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_PRINCIPAL", "registrar")
    settings = Settings()
    assert settings.principal == "reader"
    assert settings.acting_as("relay").model_copy().principal == "relay"
    assert settings.principal == "reader"


def test_the_stack_of_the_home_is_found_unless_its_record_is_damaged(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.stack() == StackRecord()
    assert settings.secret("kafka") is None
    (tmp_path / "stack.json").write_text(json.dumps({"kafka": {"port": 1}}), encoding="utf-8")
    (tmp_path / "secrets" / "relay").mkdir(parents=True)
    (tmp_path / "secrets" / "relay" / "kafka").write_text("word\n", encoding="utf-8")
    assert settings.stack() == StackRecord(kafka=ServiceRecord(port=1))
    assert settings.secret("kafka") is None, "the folder of another principal"
    assert settings.acting_as("relay").secret("kafka") == "word"
    assert settings.log_folder == tmp_path / "log"
    for damaged in (b"", b"{", b"\xff", b"null"):
        (tmp_path / "stack.json").write_bytes(damaged)
        assert settings.stack() == StackRecord()


@every(
    ("given", "console", "mailed"),
    [
        ({}, "http://127.0.0.1:4311", "http://127.0.0.1:4311"),
        ({"console_address": "https://console.example/"}, "https://console.example", "https://console.example"),
        ({"public_address": "https://gateway.example"}, "http://127.0.0.1:4311", None),
    ],
)
def test_links_lead_to_public_addresses_else_to_the_ports_of_the_stack(
    tmp_path: Path, given: dict[str, Any], console: str, mailed: str | None
) -> None:
    processes = [ProcessRecord(name=name, port=port) for name, port in (("console", 4311), ("gateway", 4312))]
    (tmp_path / STACK_FILE).write_bytes(msgspec.json.encode(StackRecord(processes=processes)))
    settings = Settings(home=tmp_path, **given)
    assert (settings.console_link, settings.mailed_console) == (console, mailed)
    assert settings.gateway_address == given.get("public_address", "http://127.0.0.1:4312")
    assert Settings(home=tmp_path / "none").gateway_address == "http://127.0.0.1:8000"
