"""No secret of a running system is anywhere but in its own file.

The canaries are the real secrets: every one that the system has, and those that it handed out once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.settings import Settings
from tests.scenarios.system import System, fresh_system

pytestmark = pytest.mark.stack

AGENCY = "canary"


@pytest.fixture(scope="module")
def used() -> Iterator[System]:
    """A system of its own: its services are killed."""
    with fresh_system() as system:
        yield system


@pytest.fixture(scope="module")
def canaries(used: System) -> dict[str, str]:
    """Every secret by what it is, after each process has worked and has met an error."""
    names = ("--name-ar", "جهة", "--name-en", "Agency of canaries")
    handed_out = {
        "the agency's password": used.ask("agencies", "add", AGENCY, "--role", "agency", *names).get("password"),
        "its next password": used.ask("agencies", "rotate", AGENCY)["password"],
        "a token": used.ask("tokens", "create", AGENCY)["token"],
    }
    _work(used)
    for service in ("postgres", "kafka"):
        used.kill(service)
        used.until_all_ready()
    _work(used)
    return {what: secret for what, secret in handed_out.items() if secret} | stored(used.home)


def stored(home: Path) -> dict[str, str]:
    """The passwords and private keys of a home."""
    files = [*home.glob("secrets/*/*"), *home.glob("*/*.skey")]
    return {str(path.relative_to(home)): path.read_text("ascii").strip() for path in files}


def _work(system: System) -> None:
    event = {
        "id": f"canary-{os.urandom(4).hex()}",
        "type": "sa.gov.yesser.service.registered.v1",
        "subject": "service/CANARY",
        "time": "2006-03-01T09:30:00+03:00",
        "data": {"service_id": "CANARY", "plan_id": "P", "group": 1, "name": {"ar": "خدمة", "en": "Service"}},
    }
    file = system.home / "canary.ndjson"
    file.write_text(json.dumps(event) + "\n" + "no event\n", "utf-8")
    system.run("publish", str(file), "--agency", AGENCY, "--wait", exits=(0, 1))
    system.settle()


def found_in(text: str, canaries: dict[str, str]) -> list[str]:
    """The secrets that stand in the text; half of one is too much."""
    return [what for what, secret in canaries.items() if secret[-32:] in text or secret[: len(secret) // 2] in text]


def test_no_command_line_and_no_environment_has_a_secret(used: System, canaries: dict[str, str]) -> None:
    seen = 0
    for process in psutil.process_iter():
        try:
            said = "\0".join([*process.cmdline(), *(f"{n}={v}" for n, v in process.environ().items())])
        except psutil.Error:
            continue
        seen += str(used.home) in said
        assert found_in(said, canaries) == [], process
    assert seen >= len(used.parts())


def test_no_log_no_metric_and_no_record_has_a_secret(used: System, canaries: dict[str, str]) -> None:
    said = {path.name: path.read_text("utf-8", "replace") for path in (used.home / "logs").iterdir()}
    said["stack.json"] = (used.home / "stack.json").read_text("utf-8")
    for part, record in used.parts().items():
        if "health_port" in record:
            said |= {f"{part}{path}": used.answer(part, path)[1] for path in ("/metrics", "/readyz", "/healthz")}
    told = {name for name, text in said.items() if text}
    assert {"stack.json", "registrar.log", "kafka.log", "postgres.log"} <= told
    assert any(name.endswith("/metrics") for name in told)
    assert {where: found for where, text in said.items() if (found := found_in(text, canaries))} == {}


def test_no_secret_is_in_the_settings_as_they_are_printed(used: System, canaries: dict[str, str]) -> None:
    password = canaries["secrets/registrar/postgres"]
    address = f"postgresql://someone:{password}@127.0.0.1/yesser"
    settings = Settings(home=used.home, postgres=address, outbox_postgres=address, outbox_token=password)
    for text in (repr(settings), str(settings), f"{settings.acting_as('registrar')!r}"):
        assert found_in(text, canaries) == []


ERRORS = {
    "another database": {"YESSER_POSTGRES": "postgresql://127.0.0.1:1/yesser"},
    "no such database": {"database": "nosuch"},
    "a wrong password": {"password": "x"},
    "a wrong setting": {"YESSER_LEASE_MS": "soon"},
}


@pytest.mark.parametrize("error", ERRORS)
def test_no_error_of_a_command_has_a_secret(used: System, canaries: dict[str, str], error: str, tmp_path: Path) -> None:
    given = dict(ERRORS[error])
    port = (used.settings.stack() or {})["postgres"]["port"]
    secret = canaries["secrets/reader/postgres"]
    password, database = given.pop("password", ""), given.pop("database", "yesser")
    address = f"postgresql://yesser_reader:{secret}{password}@127.0.0.1:{port}/{database}"
    environment = used.environment() | {"YESSER_POSTGRES": address} | given
    command = [sys.executable, "-m", "infra.cli", "log", "size"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert done.stderr
    assert found_in(done.stdout + done.stderr, canaries) == []
