"""`yesser up --detach` where a stack runs already, or another command starts one at the same time."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.data_dir import DataDir
from infra.embedded import stack as module
from infra.embedded.plan import Wanted
from infra.embedded.processes.identity import identity_of
from infra.embedded.stack import start_stack
from infra.embedded.supervisor import sole_supervisor
from infra.errors import StackError
from infra.settings import Settings
from infra.stack_record import ProcessRecord, StackRecord

REGISTRAR = Wanted(frozenset({"registrar"}))


@pytest.fixture
def home(tmp_path: Path) -> DataDir:
    home = DataDir.at(tmp_path)
    home.create()
    return home


def _write_ready(home: DataDir) -> None:
    """As the supervisor of a running registrar: this process counts as it."""
    registrar = ProcessRecord("registrar", state="ready")
    home.write_record(StackRecord(str(home.root), identity_of(os.getpid()), ready=True, processes=[registrar]))


def test_what_a_running_stack_lacks_is_refused(home: DataDir) -> None:
    standby = Wanted(frozenset({"registrar"}), {"registrar": 2})
    gateway = Wanted(frozenset({"registrar", "gateway"}), tls=True)
    with sole_supervisor(home):
        _write_ready(home)
        for wanted, missing in ((standby, "registrar-2"), (gateway, "gateway, TLS")):
            with pytest.raises(StackError, match=rf"already runs without {missing}: .*`yesser down`"):
                start_stack(Settings(home=home.root), wanted)
        assert start_stack(Settings(home=home.root), REGISTRAR).ready


def test_a_stack_that_another_command_starts_is_waited_for(home: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as until_the_end:

        def poll() -> int:
            _write_ready(home)
            return 1

        def spawn(*_: object) -> Any:
            until_the_end.enter_context(sole_supervisor(home))
            return SimpleNamespace(poll=poll)

        monkeypatch.setattr(module, "_spawn_supervisor", spawn)
        assert start_stack(Settings(home=home.root), REGISTRAR).ready


def test_a_supervisor_that_ends_while_no_other_runs_is_an_error(home: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def spawn(*_: object) -> Any:
        home.log("supervisor").write_text("yesser: the key is missing\n", "utf-8")
        return SimpleNamespace(poll=lambda: 1)

    monkeypatch.setattr(module, "_spawn_supervisor", spawn)
    with pytest.raises(StackError, match=r"^the key is missing$"):
        start_stack(Settings(home=home.root), REGISTRAR)


def test_a_second_command_leaves_the_progress_of_the_first(home: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = home.logs / "up.progress"
    progress.write_text("Starting kafka\n", "utf-8")
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: SimpleNamespace(wait=lambda: 0))
    module._spawn_supervisor(home, REGISTRAR)
    assert progress.read_text("utf-8") == "Starting kafka\n"
