"""Every release's schemas against today's models: what was accepted once stays accepted."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

import events
from events.generate import release, schema_documents
from events.schema_tools.compatibility import incompatibilities
from tests.every import every

RELEASED = Path(events.__file__).parent / "schemas" / "released"
RELEASES = sorted(path for path in RELEASED.iterdir() if path.is_dir())


@every("folder", RELEASES)
def test_nothing_that_a_release_took_is_refused_today(folder: Path) -> None:
    released = {path.name: orjson.loads(path.read_bytes()) for path in folder.glob("*.json")}
    assert len(released) > 1
    assert incompatibilities(released, schema_documents()) == []


def test_a_release_is_never_written_again(tmp_path: Path) -> None:
    release(tmp_path, "v9")
    with pytest.raises(FileExistsError):
        release(tmp_path, "v9")
