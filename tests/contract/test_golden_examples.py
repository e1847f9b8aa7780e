"""Golden examples are for ever: never changed, never removed, and taken by every later version."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import orjson
import pytest

import events
from events.types.catalogue import CATALOGUE
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.values.fields import Role
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import entry_bytes, parse_entry
from events.wire.upcasts import split_type
from tests.every import every

EXAMPLES = Path(events.__file__).parent / "examples"
ALL = sorted(EXAMPLES.glob("*/*.json"))
ROLES: dict[str, Role] = {"yesser": "office", "platform": "platform"}


@every("path", ALL)
def test_an_example_passes_the_door_and_is_read_from_an_entry(path: Path) -> None:
    raw = path.read_bytes()
    code = orjson.loads(raw)["source"].rpartition(":")[2]
    verdict = validate(raw, STRUCTURED_HEADERS, Agency(code, ROLES.get(code, "agency")))
    assert isinstance(verdict, Accepted), verdict
    entry = parse_entry(7, entry_bytes("2026-11-25T10:00:00.000000Z", f"agency.{code}.events/0/1", verdict.event_bytes))
    assert (entry.index, entry.type, entry.agency, entry.id) == (7, verdict.type, code, verdict.id)
    assert entry.data == verdict.event["data"]


@every("name", CATALOGUE)
def test_every_type_has_an_example(name: str) -> None:
    assert (EXAMPLES / "v1" / f"{name}.json").is_file()


@every("path", ALL)
def test_an_example_is_named_after_its_type_and_version(path: Path) -> None:
    name, version = split_type(orjson.loads(path.read_bytes())["type"])
    assert path.name.startswith(f"{name}.")
    assert path.parent.name == f"v{version}"


@pytest.mark.parametrize("folder", sorted({path.parent for path in ALL}), ids=lambda folder: folder.name)
def test_examples_are_only_ever_added(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}
    assert found == listed, "never change or remove an example; `python -m events.generate` lists new ones"
