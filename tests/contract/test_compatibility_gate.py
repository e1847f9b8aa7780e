"""Every release's schemas against today's models: what was accepted once stays accepted."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

import events
from events.generate import release, schema_documents
from events.schema_tools.compatibility import incompatibilities
from events.types.catalogue import CATALOGUE

RELEASED = Path(events.__file__).parent / "schemas" / "released"
RELEASES = sorted(path for path in RELEASED.iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
def test_nothing_that_a_release_took_is_refused_today(folder: Path) -> None:
    released = {path.name: orjson.loads(path.read_bytes()) for path in folder.glob("*.json")}
    assert incompatibilities(released, schema_documents()) == []


def test_there_is_a_release_and_it_holds_every_type_of_its_time() -> None:
    assert RELEASES
    first = {path.name for path in RELEASES[0].glob("*.json")}
    assert first <= {f"{name}.v1.json" for name in CATALOGUE} | {"entry.json"}
    assert len(first) > 1


def test_a_release_is_never_written_again(tmp_path: Path) -> None:
    release(tmp_path, "v9")
    with pytest.raises(FileExistsError):
        release(tmp_path, "v9")
