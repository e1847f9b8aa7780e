"""An entry that was changed together with its leaf hash is tampering at its index, however little of it can be read."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.proof.database_audit.database import derived_of
from events.wire.entry import entry_bytes
from infra.log.authority import Authority
from infra.log.reader import ChangedEntry
from tests.every import every
from tests.world.events import encoded, event

RECORDED, ADDRESS = "2026-11-25T08:00:00.000000Z", "agency.health.events/0/1"
REGISTERED = "sa.gov.yesser.registry.agency-registered.v1"


def raw(address: str = ADDRESS, **changed: Any) -> bytes:
    """The bytes of an entry; a member that is `...` is left out."""
    return entry_bytes(RECORDED, address, encoded(event("revenue.collected", "partnership/P0", {}, **changed)))


@every(
    "entry",
    [
        b"{}",
        b"\xff" * 40,
        raw() + b" ",
        raw(source=...),
        raw(sequence="abc"),
        raw("agency.health.events"),
        raw("agency.health.events/0/x"),
        raw(type="sa.gov.yesser.registrar.refused.v1"),
        raw(type=REGISTERED),
        raw(type=REGISTERED, data={"code": "x"}),
        raw(type=REGISTERED, data={"code": [], "role": "office", "name": {}}),
        raw(type=REGISTERED, data=[]),
    ],
)
def test_bytes_that_no_registrar_writes_are_named_by_their_index(entry: bytes) -> None:
    assert derived_of(Authority(), 5, raw()).offset == 1
    with pytest.raises(ChangedEntry, match=r"entry 6 of the log was changed .*together with its leaf hash") as found:
        derived_of(Authority(), 6, entry)
    assert found.value.index == 6
