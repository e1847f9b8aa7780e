"""A log that SoftHSM signed is accepted by a Go program on golang.org/x/mod's note and tlog."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.proof.audit.mirror import write_mirror
from infra.log.key_history import KeyHistory
from infra.log.signed_note import checkpoint_text, sign_note
from infra.private_keys.token_key import registered_key
from tests.audit_go.auditor import Auditor, built
from tests.hsm.soft_hsm import SoftHsm
from tests.world.memory_log import KEY, MemoryLog, sample_entries

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("audit_go")]  # built once


@pytest.fixture(scope="module")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    return built(tmp_path_factory.mktemp("go"))


async def test_a_log_signed_by_a_token_is_accepted(auditor: Auditor, hsm: SoftHsm, tmp_path: Path) -> None:
    key = registered_key(KEY.name, hsm.make_key())
    log = MemoryLog(sample_entries(700))
    log.history = KeyHistory((key.verifier,))
    log.note = sign_note(checkpoint_text(KEY.name, 700, log.root), [key])
    await write_mirror(log, tmp_path / "mirror", key.verifier)
    assert auditor.refuses(tmp_path / "mirror", key.verifier.vkey) is None
    checkpoint = tmp_path / "mirror" / "checkpoint"
    checkpoint.write_text(checkpoint.read_text().replace("\n700\n", "\n701\n"))
    assert "checkpoint" in (auditor.refuses(tmp_path / "mirror", key.verifier.vkey) or "")
