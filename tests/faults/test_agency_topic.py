"""An agency's topic loses what was read of it: that topic alone is halted, and commands say so."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from infra.kafka.admin import admin_client, delete_topics, ensure_agency_topic
from infra.kafka.client_config import agency_topic
from infra.settings import Settings
from tests.oracle.history import Profile, generate
from tests.scenarios.load import differences, publish_all, register
from tests.scenarios.system import fresh_system, until
from tests.world.stacks import halted

pytestmark = [pytest.mark.stack, pytest.mark.accept]

PROFILE = Profile(agencies=("yesser", "interior", "health"))


async def lose_topic(settings: Settings, code: str, *, make_again: bool) -> None:
    """Delete the agency's topic, and make it again, empty, or not."""
    async with admin_client(settings) as admin:
        await delete_topics(admin, [agency_topic(code)])
        if make_again:
            await ensure_agency_topic(admin, code, settings)


@pytest.mark.parametrize("make_again", [True, False], ids=["made-again", "gone"])
def test_a_lost_agency_topic_halts_that_agency_only(make_again: bool, tmp_path: Path) -> None:
    with fresh_system() as system:
        history = generate(70, 2_000, PROFILE)
        register(system, history)
        assert differences(publish_all(system, history, tmp_path), history) == []
        system.settle()
        asyncio.run(lose_topic(system.settings, "interior", make_again=make_again))
        until(lambda: halted(system, "interior") is not None, 60, "interior's topic is not halted")
        assert halted(system, "health") is None

        later = tmp_path / "later.ndjson"
        later.write_bytes(
            b"".join(line.replace(b'"id": "', b'"id": "later-') + b"\n" for line in history.lines["health"])
        )
        report = system.run("publish", str(later), "--agency", "health", "--wait", "--timeout", "60", exits=(0, 1))
        assert report["lines"] == report["accepted"] + report["duplicates"] + report["conflicts"] + report["refused"]

        waiting = system.start("wait", "--timeout", "20")
        _, words = waiting.communicate(timeout=60)
        assert waiting.returncode == 1
        assert b"agency.interior.events" in words
        assert "yesser_topics_halted 1.0" in system.answer("registrar", "/metrics")[1]
        if make_again:
            one = tmp_path / "one.ndjson"
            one.write_text(json.dumps({"id": "after"}) + "\n", encoding="utf-8")
            report = system.run("publish", str(one), "--agency", "interior", "--wait", "--timeout", "20", exits=(75,))
            assert report["lines"] == 1
