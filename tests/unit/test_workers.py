"""Several workers: one test alone really is alone, and what a worker skips or measures is known at the end."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings
from tests.workers import turn

PATIENCE_S = 30
MOMENT_S = 0.1

TESTS = """
import os, pathlib, time, pytest
from tests.scenarios.figures import tell

pytestmark = pytest.mark.stack
HERE = pathlib.Path(__file__).parent

def test_measures():
    tell(f"measured by {os.environ['PYTEST_XDIST_WORKER']}")

@pytest.mark.parametrize("n", range(8))
def test_of_one_file(n):
    with (HERE / "group").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + " ")
"""
SKIPPED = "import pytest\n\ndef test_it():\n    pytest.skip('no engine here')\n"


def run_pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the tests of a folder with our plugin, as in CI; the exit code and the output."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  stack:\n  alone:\n", encoding="utf-8")
    (folder / "conftest.py").write_text("from tests.conftest import *\n", encoding="utf-8")
    plugins = ("-p", "no:cacheprovider", "-p", "xdist", "-p", "tests.workers")
    command = [sys.executable, "-m", "pytest", *plugins, str(folder), *arguments]
    kept = {n: v for n, v in subprocess_environment(Settings()).items() if not n.startswith("PYTEST")}
    given = kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CI": "true"}
    done = subprocess.run(command, capture_output=True, text=True, env=given, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_who_is_alone_waits_for_those_beside_each_other_and_is_not_overtaken(tmp_path: Path) -> None:
    order: list[str] = []

    def take(name: str, *, alone: bool) -> None:
        with turn(tmp_path, alone=alone):
            order.append(name)

    with ThreadPoolExecutor(2) as threads:
        with turn(tmp_path, alone=False), turn(tmp_path, alone=False):
            tasks = [threads.submit(take, "alone", alone=True)]
            Event().wait(MOMENT_S)
            tasks.append(threads.submit(take, "later", alone=False))
            Event().wait(MOMENT_S)
            assert order == []
        for task in tasks:
            task.result(PATIENCE_S)
    assert order == ["alone", "later"]


def test_a_file_on_services_stays_on_one_worker_and_a_skipped_test_fails_in_ci(tmp_path: Path) -> None:
    (tmp_path / "test_tried.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "test_skipped.py").write_text(SKIPPED, encoding="utf-8")
    code, output = run_pytest(tmp_path, "-n2", "--dist=loadgroup", "--no-loadscope-reorder")
    assert code == 1, output
    assert "1 failed, 9 passed" in output
    assert "skipped in CI" in output
    assert len(set((tmp_path / "group").read_text(encoding="utf-8").split())) == 1
    assert "measured by gw" in output
