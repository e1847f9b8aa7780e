"""Processes are found by entry point: the table that `yesser up` goes by names exactly those that can be run."""

from __future__ import annotations

from infra.embedded.processes import PROCESSES
from infra.run_cli import process_entries


def test_every_process_of_the_stack_can_be_run_and_every_other_one_is_unknown() -> None:
    assert set(process_entries()) == {process.name for process in PROCESSES}


def test_every_factory_can_be_imported() -> None:
    assert all(callable(entry.load()) for entry in process_entries().values())
