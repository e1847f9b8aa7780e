"""The Standard Webhooks library for JavaScript verifies our deliveries, and refuses what was changed or is old."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from consumers.delivery.secrets import NewSecret, new_secret, signature_headers
from consumers.delivery.webhooks.route import example_event
from tests.senders_js.packages import HERE, installed

# Its first run needs the network of npm, which the quick tests do without.
pytestmark = [pytest.mark.accept, pytest.mark.timeout(300)]

BODY = example_event("example.abc")


def delivery(*secrets: NewSecret, age_s: int = 0, **changes: str) -> dict[str, Any]:
    """A delivery that these secrets signed, with changed members."""
    headers = signature_headers([made.secret for made in secrets], "example_abc", int(time.time()) - age_s, BODY)
    return {"headers": headers, "body": BODY.decode()} | changes


@pytest.fixture(scope="module")
def verifier() -> Path:
    return Path(shutil.copy(HERE / "verify.js", installed()))


def test_the_library_verifies_and_refuses(verifier: Path) -> None:
    old, new, other, public = (new_secret("v1"), new_secret("v1"), new_secret("v1"), new_secret("v1a"))
    deliveries = [
        delivery(new),
        delivery(public, new, old),  # while the secret is replaced
        delivery(new, body=BODY.decode().replace("example.abc", "example.abd")),
        delivery(other),
        delivery(new, age_s=360),
        delivery(new, age_s=-360),
        delivery(public),
    ]
    asked = orjson.dumps({"secret": new.shown, "deliveries": deliveries})
    done = subprocess.run(["node", verifier], input=asked, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    verdicts = orjson.loads(done.stdout)
    assert verdicts[:2] == ["verified", "verified"]
    assert verdicts[2:] == [
        "No matching signature found",
        "No matching signature found",
        "Message timestamp too old",
        "Message timestamp too new",
        "No matching signature found",
    ]
