"""The verifier key is given, or is the file beside the log's key; any other case names what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.audit.port import NoVerifier, read_verifier
from infra.settings import Settings
from tests.world.memory_log import KEY


def test_the_key_is_given_or_in_its_file_and_else_it_is_wrong_use(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert read_verifier(settings, KEY.verifier.vkey) == KEY.verifier
    with pytest.raises(NoVerifier, match="give --vkey"):
        read_verifier(settings, None)
    with pytest.raises(NoVerifier, match=r"--vkey: the verifier key of .* has 29 bytes"):
        read_verifier(settings, KEY.verifier.vkey[:-4])
    settings.log_folder.mkdir()
    (settings.log_folder / "log.vkey").write_text(f"{KEY.verifier.vkey}\n")
    assert read_verifier(settings, None) == KEY.verifier
