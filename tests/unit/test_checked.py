"""Checks beside the tests: both must pass, and pytest's closing line is the last one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(folder: Path, checks: str, test: str) -> tuple[int, list[str]]:
    """The exit code and the lines of the output, with a fake make."""
    (folder / "pytest.ini").touch()
    (folder / "test_tried.py").write_text(f"def test_it():\n    {test}\n", encoding="utf-8")
    make = folder / "make"
    make.write_text(f"#!/bin/sh\n{checks}\n", encoding="utf-8")
    make.chmod(0o700)
    command = [sys.executable, "-m", "tests.checked", "-p", "no:cacheprovider", str(folder)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    given = kept | {"MAKE": str(make), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=given, check=False)
    return done.returncode, done.stdout.splitlines()


def test_where_both_pass_the_checks_are_printed_first_and_the_closing_line_last(tmp_path: Path) -> None:
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
