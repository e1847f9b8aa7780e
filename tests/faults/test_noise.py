"""An agency sends nothing but noise: the national log is spared, its state shows it, and no other waits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scenarios.judge import judge
from tests.scenarios.system import System, until
from tests.world.senders import announced

pytestmark = [pytest.mark.stack, pytest.mark.accept]

NOISY, QUIET = "noisy", "quiet"
NOISE = 1_200
IN_A_ROW = 500


def test_noise_is_paused_told_of_and_let_through_by_a_person(system: System, tmp_path: Path) -> None:
    system.add_agencies([(NOISY, "agency"), (QUIET, "agency")])
    noise, quiet = tmp_path / "noise.ndjson", tmp_path / "quiet.ndjson"
    noise.write_bytes(b"{}\n" * NOISE + announced("good", "good", NOISY) + b"\n")
    quiet.write_bytes(announced("unhindered", "unhindered", QUIET) + b"\n")
    with system.start("publish", str(noise), "--agency", NOISY, "--raw", "--wait", "--json") as publishing:
        try:
            until(lambda: bool(system.ask("status")["paused"]), 240, "the status does not tell of the pause")
            assert system.run("publish", str(quiet), "--agency", QUIET, "--wait")["accepted"] == 1
            assert len(system.ask("refusals", "list", "--agency", NOISY)) == IN_A_ROW
            assert system.readiness("registrar")[0] == 200
            assert "yesser_topics_paused 1.0" in system.answer("registrar", "/metrics")[1]
            paused = {row["code"]: row["paused"] for row in system.ask("agencies", "list")}
            assert paused[QUIET] is None
            assert paused[NOISY]["reason"]["en"] == "500 records were refused, and few were accepted between them"
            assert system.ask("registrar", "unpause", NOISY)["records"] == NOISE + 1 - IN_A_ROW
            output, errors = publishing.communicate(timeout=240)
        finally:
            publishing.kill()
    assert publishing.returncode == 1, errors.decode()
    report = json.loads(output)
    assert (report["accepted"], report["refused"]) == (1, NOISE)
    assert b"is paused: 500 records were refused, and few were accepted between them" in errors
    assert errors.count(b"yesser:") == 1, "why it waits is said once"
    system.settle()
    assert system.ask("status")["paused"] == {}
    judge(system).require_clean()
