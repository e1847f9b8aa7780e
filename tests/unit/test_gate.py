"""Checks beside the tests: both must pass, and pytest's closing line is the last one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests import gate


def run(folder: Path, checks: str, test: str) -> tuple[int, list[str]]:
    """The exit code and the lines of the output, with a shell's line as the checks."""
    (folder / "pytest.ini").touch()
    (folder / "test_tried.py").write_text(f"def test_it():\n    {test}\n", encoding="utf-8")
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    program = f"import sys; from tests.gate import run; sys.exit(run({tests!r}, ['sh', '-c', {checks!r}]))"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    given = kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=given, check=False)
    return done.returncode, done.stdout.splitlines()


def test_where_both_pass_the_checks_are_printed_first(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "sleep 1; echo checked", "pass")
    assert (code, lines[0]) == (0, "checked")
    assert "1 passed" in lines[-1]


def test_a_check_that_fails_ends_the_tests(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "echo wrong types; exit 2", "__import__('time').sleep(60)")
    assert (code, lines) == (2, ["wrong types"])


def test_a_test_that_fails_fails_all(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "echo checked", "assert 0")
    assert code == 1
    assert "1 failed" in lines[-1]


def test_a_gate_says_how_long_it_took_and_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    run = Mock(return_value=3)
    monkeypatch.setattr(gate, "run", run)
    assert gate.main("accept", "-x") == 3
    (tests, checks) = run.call_args.args
    assert (tests[-1], checks) == ("-x", None)
    said = capfd.readouterr().out
    assert re.fullmatch(r"make accept: 0:00 \(goal on two cores: 60:00\)\. Left out: .+\.\n", said)
