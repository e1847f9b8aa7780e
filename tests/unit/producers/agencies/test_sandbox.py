"""A sandbox never takes over, and never deletes, what is not its own."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.embedded.processes.identity import identity_of
from infra.settings import SANDBOX_FILE, Settings
from infra.stack_record import Identity
from producers.agencies.sandbox_commands import (
    NoSandbox,
    Sandbox,
    connection_info,
    sandbox,
    sandbox_settings,
    start,
    stop,
    variables_of,
)


def settings(home: Path, kafka: str | None = None, postgres: str | None = None) -> Settings:
    return Settings(home=home, kafka=kafka, postgres=postgres)


def seeded(home: Path, *, runs: bool = False, ready: bool = True) -> Settings:
    """The sandbox beside the stack of `home`; where it runs, this process counts as its supervisor."""
    found = sandbox_settings(settings(home))
    found.home.mkdir(parents=True)
    entry = {"agency": "sandbox", "key_id": "k", "token": "yat_k_1"}
    (found.home / SANDBOX_FILE).write_text(json.dumps(entry), encoding="utf-8")
    part = {"pid": None, "started": None, "state": "starting", "restarts": 0, "health_port": 20_000}
    supervisor = asdict(identity_of(os.getpid()) or Identity(0, 0)) if runs else None
    processes = [part | {"name": "relay"}, part | {"name": "gateway", "port": 20_001}]
    record = {"ready": ready, "supervisor": supervisor, "processes": processes}
    (found.home / "stack.json").write_text(json.dumps(record), encoding="utf-8")
    return found


def test_a_sandbox_lies_beside_the_stack_and_within_itself_it_is_the_same(tmp_path: Path) -> None:
    found = seeded(tmp_path)
    assert found.home == tmp_path / "sandbox"
    assert sandbox_settings(found).home == found.home
    for others in ({"kafka": "kafka.example:9092"}, {"postgres": "postgresql://db.example/"}):
        with pytest.raises(NoSandbox, match="unset both"):
            sandbox_settings(settings(tmp_path, **others))


def test_a_folder_that_holds_something_else_is_not_taken(tmp_path: Path) -> None:
    found = sandbox_settings(settings(tmp_path))
    found.home.mkdir()
    (found.home / "stack.json").write_text("{}", encoding="utf-8")
    with pytest.raises(NoSandbox, match="not a sandbox"):
        start(found, lambda _: None)
    assert [path.name for path in found.home.iterdir()] == ["stack.json"]


def test_only_a_sandbox_is_forgotten(tmp_path: Path) -> None:
    other = sandbox_settings(settings(tmp_path / "a"))
    other.home.mkdir(parents=True)
    assert not stop(other, forget=True)
    assert other.home.exists()
    found = seeded(tmp_path / "b")
    stop(found, forget=False)
    assert found.home.exists()
    stop(found, forget=True)
    assert not found.home.exists()


def test_how_to_reach_a_sandbox_that_runs_also_while_a_part_of_it_is_not_ready(tmp_path: Path) -> None:
    for name, ready in (("ready", True), ("not-ready", False)):
        found = seeded(tmp_path / name, runs=True, ready=ready)
        reached = Sandbox(str(found.home), "http://127.0.0.1:20001", "sandbox", "k", "yat_k_1")
        assert connection_info(found) == reached
        assert variables_of(reached) == {
            "YESSER_HOME": str(found.home),
            "YESSER_GATEWAY": "http://127.0.0.1:20001",
            "YESSER_AGENCY": "sandbox",
            "YESSER_TOKEN": "yat_k_1",
        }


def test_one_that_does_not_run_says_how_to_start_it(tmp_path: Path) -> None:
    """Also where its supervisor was killed, so that the record still calls it ready."""
    stopped = [seeded(tmp_path / name, ready=ready) for name, ready in (("down", False), ("killed", True))]
    for found in (sandbox_settings(settings(tmp_path / "none")), *stopped):
        with pytest.raises(NoSandbox, match="yesser sandbox up"):
            connection_info(found)


def test_the_command_says_it_for_people_and_for_programs(tmp_path: Path) -> None:
    home = seeded(tmp_path, runs=True).home
    runner = CliRunner(env={"YESSER_HOME": str(home)})
    reached = Sandbox(str(home), "http://127.0.0.1:20001", "sandbox", "k", "yat_k_1")
    assert json.loads(runner.invoke(sandbox, ["--json"]).stdout) == asdict(reached)
    words = runner.invoke(sandbox).stdout
    assert "سجلها مستقل" in words
    assert 'curl -sS http://127.0.0.1:20001/v1/events -H "Authorization: Bearer yat_k_1"' in words
    assert f"export YESSER_HOME={home}\n" in runner.invoke(sandbox, ["env"]).stdout
