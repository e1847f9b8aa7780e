"""The CloudEvents SDK for JavaScript as a sender: the gateway takes what it makes, in all three modes."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.conformance.foreign_senders import MODES, examples, in_mode, require_registered
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.system import System
from tests.senders_js.packages import HERE, installed

# Its first run needs the network of npm, which the quick tests do without.
pytestmark = [pytest.mark.accept, pytest.mark.timeout(300)]

CODE = "sdk-javascript"


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, CODE)


@pytest.fixture(scope="module")
def sender() -> Path:
    """The script beside its packages."""
    return Path(shutil.copy(HERE / "send.js", installed()))


def test_catalogue_events_of_the_javascript_sdk_are_taken_in_all_modes(access: GatewayAccess, sender: Path) -> None:
    events = {mode: in_mode(examples(CODE), mode) for mode in MODES}
    asked = orjson.dumps({"address": access.address, "token": access.token, "events": events})
    done = subprocess.run(["node", sender], input=asked, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    answers = orjson.loads(done.stdout)
    assert [answer for answer in answers if answer["status"] != 202] == []
    count = len(examples(CODE))
    assert [answer["mode"] for answer in answers] == ["structured"] * count + ["binary"] * count + ["batched"]
    asyncio.run(require_registered(access, [event for mode in MODES for event in events[mode]]))
