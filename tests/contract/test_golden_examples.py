"""Golden examples are permanent: never changed, never removed, and accepted by every later version."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import orjson

from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import entry_bytes, parse_entry
from events.wire.upcasts import split_type
from tests.every import every
from tests.world.events import golden, sender_of


@every(("path", "raw"), golden)
def test_an_example_is_accepted_and_read_from_an_entry_and_named_after_its_type(path: Path, raw: bytes) -> None:
    agency = sender_of(orjson.loads(raw))
    verdict = validate(raw, STRUCTURED_HEADERS, agency)
    assert isinstance(verdict, Accepted), verdict
    address = f"agency.{agency.code}.events/0/1"
    entry = parse_entry(7, entry_bytes("2026-11-25T10:00:00.000000Z", address, verdict.event_bytes))
    assert (entry.index, entry.type, entry.agency, entry.id) == (7, verdict.type, agency.code, verdict.id)
    assert entry.data == verdict.event["data"]
    name, version = split_type(orjson.loads(raw)["type"])
    assert path.name.startswith(f"{name}.")
    assert path.parent.name == f"v{version}"


@every("folder", lambda: sorted({path.parent for path, _ in golden()}))
def test_examples_are_only_ever_added(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}
    assert found == listed, "never change or remove an example; `python -m events.generate` lists new ones"
