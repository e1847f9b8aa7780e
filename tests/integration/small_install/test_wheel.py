"""The whole system from the wheel, in an empty folder: what a newcomer without a clone has."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.integration.small_install.environment import SmallInstall, build
from tests.paths import ROOT

pytestmark = [pytest.mark.accept, pytest.mark.stack]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallInstall:
    return build(tmp_path_factory.mktemp("wheel"), platform=True)


@pytest.fixture
def wheel(built: SmallInstall, tmp_path: Path) -> SmallInstall:
    """With an empty folder of its own to work in."""
    return replace(built, home=tmp_path / "empty")


def answer(wheel: SmallInstall, *command: str | Path, **variables: str) -> str:
    """What a command prints. It uses the servers and jars that this machine has."""
    settings = {"HOME": os.environ["HOME"], "PYTHONWARNINGS": "default", "YESSER_LANG": "en"}
    ended = wheel.run(*command, **settings, **variables)
    assert ended.returncode == 0, (command, ended.stderr)
    return ended.stdout


def test_her_own_event_is_proven_from_an_empty_folder(wheel: SmallInstall) -> None:
    answer(wheel, "yesser", "sandbox", "up")
    try:
        lines = answer(wheel, "yesser", "sandbox", "env").splitlines()
        sandbox = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
        gateway = sandbox["YESSER_GATEWAY"]
        with urlopen(f"{gateway}/docs/examples/service.registered.json") as example:
            event = {**json.load(example), "id": "mine", "source": "urn:yesser:agency:sandbox"}
        (wheel.home / "mine.ndjson").write_text(json.dumps(event))
        published = ("yesser", "publish", "mine.ndjson", "--to", gateway, "--wait", "--json")
        assert json.loads(answer(wheel, *published, **sandbox))["accepted"] == 1
        token = {"Authorization": f"Bearer {sandbox['YESSER_TOKEN']}"}
        with urlopen(Request(f"{gateway}/v1/events/mine", headers=token)) as verdict:
            index = json.load(verdict)["index"]
        answer(wheel, "yesser", "wait", **sandbox)
        answer(wheel, "yesser", "audit", "mirror", "log", **sandbox)
        answer(wheel, "yesser", "audit", "prove", "log", str(index), "--into", "mine.tlog-proof", **sandbox)
        answer(wheel, "yesser", "audit", "check", "mine.tlog-proof", **sandbox)
        with urlopen(f"{gateway}/docs/en/gateway.md") as guide:
            assert b"## " in guide.read(), "the guides are in the wheel"
    finally:
        answer(wheel, "yesser", "sandbox", "down", "--forget")


def test_the_demo_runs(wheel: SmallInstall) -> None:
    shown = json.loads(answer(wheel, "yesser", "demo", "--json"))
    assert shown["verification"]["ok"] is True


def test_it_has_every_file_of_the_packages_that_is_no_code(built: SmallInstall) -> None:
    (installed,) = built.folder.glob("lib/python*/site-packages")
    packages = ("events", "infra", "producers", "consumers")
    here = {path.relative_to(ROOT) for name in packages for path in (ROOT / name).rglob("*") if path.is_file()}
    missing = {path for path in here if path.suffix != ".pyc" and not (installed / path).exists()}
    assert missing == set()
