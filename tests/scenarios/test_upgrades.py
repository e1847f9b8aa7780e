"""A home of an earlier version is taken over by this one, as docs/upgrade.md says: every figure is as it was.

Each earlier version is installed from the repository's history and publishes the programme's sample history.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.paths import ROOT
from tests.scenarios.system import COMMAND_TIMEOUT_S, own_folder, running_system

pytestmark = [pytest.mark.accept, pytest.mark.stack]

EARLIER: Final = (
    "cb086aab",  # 2026-11-27, the newest migration is 0028
    "6042891e",  # 2026-11-28
    "29bd4a66",  # 2026-11-30
)
FIGURES: Final = (
    "plan",
    "services list",
    "projects list",
    "campaigns list",
    "campaigns coverage",
    "ledger partnerships",
    "ledger balances",
    "anomalies",
    "refusals list",
)
FURTHER: Final = {"log_index", "checked_index", "next_offset"}
"""Figures that also a new release's own entry moves: `registrar.catalogue-adopted`."""


@pytest.mark.parametrize("commit", EARLIER)
def test_a_home_of_an_earlier_version_is_taken_over_with_every_figure(commit: str, tmp_path: Path) -> None:
    with own_folder() as home:
        earlier = Earlier(_installed(commit, tmp_path), home)
        earlier.run("up", "--detach")
        try:
            earlier.run("demo", "--json")
            earlier.run("commit", "--json")
            earlier.run("wait")
            before = {figure: json.loads(earlier.run(*figure.split(), "--json")) for figure in FIGURES}
        finally:
            earlier.run("down")
        with running_system(home) as system:
            system.settle()
            for figure, document in before.items():
                _require_all(document, system.ask(*figure.split()), figure)
            for command in (("audit", "verify"), ("audit", "commitments"), ("rebuild", "--compare")):
                system.run(*command)


class Earlier:
    """The commands of an earlier version, in a home."""

    def __init__(self, site: Path, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
        self._environment = kept | {"PYTHONPATH": str(site), "YESSER_HOME": str(home), "YESSER_LANG": "en"}
        self._site = site

    def run(self, *arguments: str) -> str:
        """What `yesser ARGUMENTS` prints."""
        command = [sys.executable, "-m", "infra.cli", *arguments]
        # The processes that `up` leaves keep what they were given: a file never waits for them to end.
        with (self._site / "output").open("w+b") as output, (self._site / "errors").open("w+b") as errors:
            done = subprocess.run(
                command,
                cwd=self._site,
                env=self._environment,
                stdout=output,
                stderr=errors,
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            )
            output.seek(0)
            errors.seek(0)
            assert done.returncode == 0, f"{arguments}: {done.returncode}: {errors.read().decode()[-2000:]}"
            return output.read().decode()


def _installed(commit: str, folder: Path) -> Path:
    """The folder with the packages of this commit and its commands."""
    source, site = folder / "source", folder / "site"
    source.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    assert archive.returncode == 0, "this test needs the history of the repository: `git fetch --unshallow`"
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    install = ("install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site), str(source))
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    return site


def _require_all(before: Any, now: Any, where: str) -> None:
    """Every member of what was said before is said now; a later version may say more."""
    if isinstance(before, dict):
        for name, value in before.items():
            if name not in FURTHER:
                assert name in now, f"{where}: {name} is missing"
                _require_all(value, now[name], f"{where}/{name}")
    elif isinstance(before, list):
        assert len(now) == len(before), where
        for number, (value, later) in enumerate(zip(before, now, strict=True)):
            _require_all(value, later, f"{where}/{number}")
    else:
        assert now == before, where
