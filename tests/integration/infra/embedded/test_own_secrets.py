"""Each process works where only its own secrets are: no folder of another principal, and no other file of the home."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from infra.embedded.health import readiness
from infra.embedded.processes.signals import SEPARATE, SERVICES
from infra.embedded.servers.ports import choose
from infra.embedded.stack import running_stack
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from tests.paths import ROOT
from tests.scenarios.system import own_folder

pytestmark = pytest.mark.stack

READY_S: Final = 240.0
NEEDED: Final = {
    "registrar": ("registrar",),
    "relay": ("relay",),
    "projections": ("projections",),
    "campaigns": ("campaigns",),
    "revenue": ("revenue",),
    "event-index": ("event-index",),
    "delivery": ("delivery", "teams"),
    "gateway": ("gateway", "reader", "tokens", "console-tokens", "teams"),
    "console": ("console", "reader", "console-tokens", "accounts"),
}
"""The folders of secrets that each process needs. The gateway and the console read as the reader; the gateway knows
tokens by their hash, and those of the console by its key; the console seals accounts and sessions, the gateway what
teams manage, which the delivery process compares."""


@pytest.fixture(scope="module")
def services() -> Iterator[Settings]:
    before = os.umask(0o077)  # as `yesser` does
    try:
        with own_folder(in_memory=True) as folder, running_stack(folder, only=SERVICES) as settings:
            yield settings
    finally:
        os.umask(before)


def home_of(services: Settings, folder: Path, *principals: str) -> dict[str, str]:
    """The environment of a home that has the record of the services and these secrets alone."""
    folder.mkdir()
    shutil.copy(services.home / "stack.json", folder)
    for principal in principals:
        source = services.secrets_folder / principal
        if source.exists():
            shutil.copytree(source, folder / "secrets" / principal)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
    return kept | {"YESSER_HOME": str(folder)}


def run(environment: dict[str, str], *arguments: str) -> Any:
    command = subprocess_command(*arguments, "--json")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_process_is_tried() -> None:
    assert NEEDED.keys() == SEPARATE - set(SERVICES)


@pytest.mark.accept
def test_the_platform_works_with_a_folder_of_secrets_for_each_process(services: Settings, tmp_path: Path) -> None:
    ports = dict(zip(NEEDED, choose([None] * len(NEEDED)), strict=True))
    with ExitStack() as running:
        for name, folders in NEEDED.items():
            environment = home_of(services, tmp_path / name, *folders) | {"YESSER_HEALTH_PORT": str(ports[name])}
            log = running.enter_context((tmp_path / f"{name}.log").open("wb"))
            served = {"YESSER_GATEWAY_PORT": "0", "YESSER_CONSOLE_PORT": "0"}
            child = subprocess.Popen(
                subprocess_command("run", name), env=environment | served, stdout=log, stderr=subprocess.STDOUT
            )
            running.callback(child.wait)
            running.callback(child.terminate)
        deadline = time.monotonic() + READY_S
        for name, port in ports.items():
            while not (answer := asyncio.run(readiness(port))) or not answer.ready:
                assert time.monotonic() < deadline, (name, (tmp_path / f"{name}.log").read_text()[-2000:])
                time.sleep(0.1)

        administrator = home_of(services, tmp_path / "administrator", "administrator")
        names = ("--name-ar", "جهة", "--name-en", "Agency")
        added = run(administrator, "agencies", "add", "health", "--role", "agency", *names)
        events = tmp_path / "events.ndjson"
        shutil.copy(ROOT / "docs" / "first-events.ndjson", events)
        # The agency's own machine has its password and the verdicts; `publish --wait` reads them as the operator.
        agencys = home_of(services, tmp_path / "operator", "operator")
        own = {"YESSER_KAFKA_USER": "agency-health", "YESSER_KAFKA_PASSWORD": added["password"]}
        report = run(agencys | own, "publish", str(events), "--agency", "health", "--wait")
        assert report["accepted"] == 2
        reader = home_of(services, tmp_path / "reader", "reader")
        run(reader, "wait", "--timeout", "240")
        assert run(reader, "log", "size")["size"] >= 5
        auditor = home_of(services, tmp_path / "auditor", "auditor")
        verifier = (tmp_path / "registrar" / "log" / "log.vkey").read_text().strip()
        assert run(auditor, "audit", "verify", "--vkey", verifier)["ok"]

    for name, folders in NEEDED.items():
        found = {path.name for path in (tmp_path / name / "secrets").iterdir()}
        assert found <= set(folders), f"{name} made secrets of its own"
    assert (tmp_path / "registrar" / "log" / "log.skey").exists()
    assert not list(tmp_path.glob("*/log/log.skey"))[1:]


@pytest.mark.accept
def test_nothing_of_a_home_can_be_read_by_other_users(services: Settings) -> None:
    """Where PostgreSQL runs as a system user, an access control list lets it alone pass through the folders above its
    data: the group's bit then shows the list's mask."""
    passed_through = {services.home, services.home / "postgres"}
    open_to_others = {
        path: oct(path.stat().st_mode)
        for path in (services.home, *services.home.rglob("*"))
        if path.stat().st_mode & (0o067 if path in passed_through else 0o077)
    }
    assert open_to_others == {}
    assert list(services.home.glob("kafka/data/**/*.log")), "Kafka's data is there"
