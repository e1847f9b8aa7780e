"""A policy that the relay cannot satisfy is refused when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.cosigning.cosigning import witness_policy
from infra.log.signed_note import LogKey
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import InvalidPolicy


def test_a_policy_whose_quorum_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy"
    keys = {name: LogKey(f"{name}.example/witness", bytes([n]) * 32) for n, name in enumerate(("court", "bank"))}
    lines = "".join(f"witness {name} {cosigner_of(key).vkey}\n" for name, key in keys.items())
    file.write_text(f"{lines}group g 2 court bank\nquorum g\n")
    with pytest.raises(InvalidPolicy, match="have an address"):
        witness_policy(file)
    assert witness_policy(None) is None
