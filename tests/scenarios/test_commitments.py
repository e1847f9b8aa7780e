"""`yesser commit` on the real services: the hashes come back as entries, and the log alone gives the same."""

from __future__ import annotations

import pytest

from consumers.fold.past_rows import BLOCK_ENTRIES
from tests.scenarios.system import System

pytestmark = [pytest.mark.stack, pytest.mark.accept]


def test_a_commitment_is_registered_and_is_what_the_log_gives(system: System) -> None:
    system.settle()
    before = system.ask("log", "size")["size"]
    committed = system.ask("commit")["commitments"]
    # The platform may have committed a consumer at the beginning of the block: its next index is its position.
    versioned = [row for row in committed if "fold_version" in row]  # the trail has none
    assert versioned
    assert all(before - BLOCK_ENTRIES < row["log_index"] <= before for row in versioned)
    system.settle()
    checked = system.ask("audit", "commitments", "--last", "1")
    assert checked["ok"]
    names = ("name", "log_index", "rows", "sha256", "fold_version")
    # Of the log's keys and the trail the newest is an earlier one, if they have not grown since.
    new = [row for row in checked["commitments"] if row["name"] in {made["name"] for made in committed}]
    assert [{name: row[name] for name in names if row[name] is not None} for row in new] == committed
    assert "trail" in {row["name"] for row in checked["commitments"]}, "now, or earlier if it has not grown since"
    first = versioned[0]
    id = f"committed.{first['name']}.v{first['fold_version']}.i{first['log_index'] - 1}"
    (found,) = system.ask("log", "find", "--id", id)
    event = system.ask("log", "show", str(found["index"]))["event"]
    assert event["type"] == "sa.gov.yesser.projection.committed.v1"
