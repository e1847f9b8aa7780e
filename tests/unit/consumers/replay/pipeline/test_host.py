"""The readiness of a process with several consumers: the worst of theirs, and each one by name."""

from __future__ import annotations

from consumers.replay.pipeline.pipeline import combined
from infra.process.health import Readiness


def test_every_rebuild_and_every_halt_is_shown_for_the_whole_process() -> None:
    rebuilding = {"revenue": {"entries": 5, "of": 10}}
    found = combined(
        {
            "revenue": Readiness(True, {"role": "active", "lag": 7, "rebuilding": rebuilding}),
            "campaigns": Readiness(False, {"role": "standby", "lag": 9, "halted": "a leaf differs"}),
            "projections": Readiness(True, {"role": "standby", "lag": 0, "held_by": {"projections": "psql"}}),
        }
    )
    assert (found.ready, found.healthy) == (False, True)
    assert found.details["rebuilding"] == rebuilding
    assert found.details["held_by"] == {"projections": "psql"}
    assert (found.details["role"], found.details["lag"]) == ("active", 9)
    assert found.details["halted"] == "campaigns: a leaf differs"
    assert "rebuilding" not in combined({"revenue": Readiness(True, {"role": "active"})}).details
