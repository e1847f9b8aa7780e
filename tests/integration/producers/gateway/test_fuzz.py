"""Schemathesis against the gateway's own OpenAPI document: no request gives a 5xx, and the document is true.

It takes in every route of the application, also those that other rooms add.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from consumers.delivery.secrets import publish_key
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.senders import GatewayHarness, run_gateway

CONFIGURATION = """
[checks]
# What the document calls an event, validation may refuse; most ids that a fuzzer makes up are not there.
positive_data_acceptance.enabled = false
use_after_free.enabled = false
ensure_resource_availability.enabled = false
object_level_authorization.enabled = false
# Also a query that is too long is rejected (414); the others are the default.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 414, 415, 422, 428, 429, "5xx"]

# Validating never says no to an event: its faults are the answer.
[[operations]]
include-path = "/v1/events:validate"
checks.negative_data_rejection.enabled = false
"""


@pytest.fixture
async def harness(settings: Settings, connection: Connection) -> AsyncIterator[GatewayHarness]:
    """A gateway that takes all requests of a fuzzer, and answers long polls at once; webhooks can be added."""
    await publish_key(connection, [PrivateKey.generate()])
    changes = {"gateway_requests_per_s": 100_000, "gateway_requests_burst": 100_000, "gateway_failures_per_s": 100_000}
    async with run_gateway(settings, connection, gateway_long_poll_max_s=0, **changes) as opened:
        yield opened


@pytest.mark.accept
async def test_no_5xx_and_the_document_is_true(harness: GatewayHarness, tmp_path: Path) -> None:
    """In a process of its own; what it finds is shown with the request that shows it again."""
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    address = f"http://127.0.0.1:{harness.gateway.port}/openapi.json"
    token = f"Authorization: Bearer {harness.token.token}"
    command = [sys.executable, "-m", "schemathesis.cli", "run", address, "--header", token]
    command += ["--max-examples", "100", "--continue-on-failure", "--no-color", "--warnings", "off"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    report, _ = await process.communicate()
    assert process.returncode == 0, report.decode()
