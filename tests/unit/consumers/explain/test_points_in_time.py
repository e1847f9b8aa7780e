"""A figure of the past from outside: by an index, by when it was recorded, and by when it had occurred."""

from __future__ import annotations

import asyncio
from pathlib import Path

from consumers.proof.audit.mirror import write_mirror
from tests.every import every
from tests.oracle.log import make_entry, make_event
from tests.unit.consumers.proof.commands.exports import Holder
from tests.world.entries import bytes_of
from tests.world.memory_log import KEY, MemoryLog


def entry(number: int) -> bytes:
    """Recorded an hour after the one before; what is recorded last occurred first."""
    data = {"service_id": "S1", "on": f"2026-11-{20 - number:02}"}
    event = make_event("service.launched", "health", "service/S1", data, f"e{number}") | {"specversion": "1.0"}
    return bytes_of(make_entry(number, event, f"2026-11-25T{8 + number:02}:00:00.000000Z"))


@every(
    ("options", "index", "events"),
    [
        ((), 8, 8),
        (("--as-of-index", "3"), 3, 3),
        (("--as-of-recorded", "2026-11-25T13:00:00+03:00"), 3, 3),
        (("--as-of-recorded", "2026-11-25T10:59:59.999999Z"), 3, 3),
        (("--as-of-occurred", "2026-11-15"), 8, 3),
    ],
)
def test_a_figure_is_explained_as_it_was(tmp_path: Path, options: tuple[str, ...], index: int, events: int) -> None:
    auditor = Holder(tmp_path / "-".join(options).replace(":", "") / "own")
    auditor.folder.mkdir(parents=True)
    log = MemoryLog([entry(number) for number in range(8)])
    asyncio.run(write_mirror(log, auditor.folder / "mirror", KEY.verifier))
    for place in (str(auditor.folder / "mirror"), auditor.export(log.stored)):
        document = auditor.ok("explain", "activity", "health/service.launched", "--from", place, *options)
        assert (document["log_index"], document["figures"]["count"]) == (index, events), place
    money = auditor.run("explain", "partnerships", "P1", "--from", place, "--as-of-occurred", "2026-11-15")
    assert (money.exit_code, "The ledger has no state by an occurred date" in money.output) == (2, True)
