"""The log's key in a token: with SoftHSM where it is installed; elsewhere they are left out, as the summary says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit_go.auditor import HAS_GO
from tests.hsm.soft_hsm import HAS_SOFT_HSM, SoftHsm, soft_hsm
from tests.scenarios.figures import tell

collect_ignore_glob = ([] if HAS_SOFT_HSM else ["test_*.py"]) + ([] if HAS_GO else ["test_other_peoples_tools.py"])

if not HAS_SOFT_HSM:
    tell("SoftHSM is not installed (Debian: softhsm2): no key in a token was tested (tests/hsm).")


@pytest.fixture
def hsm(tmp_path: Path) -> Iterator[SoftHsm]:
    """A token of this test alone, without a key."""
    with soft_hsm(tmp_path / "hsm") as found:
        yield found
