"""`compose.yaml` starts the same parts as `yesser up`."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.embedded.processes.signals import PROCESSES
from infra.embedded.servers.kafka import FIXED_PROPERTIES, session_properties
from infra.embedded.servers.postgres import INITDB_OPTIONS
from infra.log.key_files import log_key_files
from infra.principals import KAFKA_PRINCIPALS, PRINCIPALS
from infra.process.commands import process_entries
from infra.settings import Settings
from tests.containers import KAFKA_IMAGE, POSTGRES_IMAGE, POSTGRES_OPTIONS
from tests.paths import ROOT

ADDRESSES = {"log.dirs", "listeners", "advertised.listeners", "controller.quorum.voters"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return document


def test_the_steps_on_the_page_write_every_file_that_compose_needs(compose: dict[str, Any], tmp_path: Path) -> None:
    page = (ROOT / "docs" / "containers.md").read_text("utf-8")
    (steps,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    subprocess.run(["sh", "-eu", "-c", steps], cwd=tmp_path, check=True)
    needed = [secret["file"] for secret in compose["secrets"].values()]
    assert [file for file in needed if not (tmp_path / file).is_file()] == []
    assert (tmp_path / "config" / "log.vkey").is_file()


SEPARATE_PROCESSES = tuple(process for process in PROCESSES if not process.replaces)
"""Containers are for machines with more cores: each consumer has its own."""


def test_every_process_of_the_table_has_a_service_and_no_other_process_has(compose: dict[str, Any]) -> None:
    commands = {name: service.get("command") for name, service in compose["services"].items()}
    processes = {name: command for name, command in commands.items() if command and command[0] == "run"}
    assert processes == {process.name: ["run", process.name] for process in SEPARATE_PROCESSES}
    assert process_entries().keys() - processes.keys() == {"consumers"}, "of the entry points `yesser.processes`"


def test_every_lasting_service_has_a_health_check_and_comes_back_by_itself(compose: dict[str, Any]) -> None:
    lasting = [s for name, s in compose["services"].items() if name not in ("prepare", "tool")]
    assert all("healthcheck" in service and service["restart"] == "unless-stopped" for service in lasting)


@pytest.mark.parametrize("name", sorted(yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]))
def test_no_container_can_change_its_files_or_gain_privileges(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]
    assert not service.get("privileged")
    assert ("cap_add" in service) is (name == "postgres")


def test_the_image_does_not_run_as_root_and_installs_locked_packages_only() -> None:
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert int(users[-1]) > 0, "a number, so that an orchestrator can tell"
    installs = [line for line in lines if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_what_runs_in_production_has_the_versions_that_are_tested() -> None:
    def pinned(file: str) -> set[str]:
        lines = (ROOT / file).read_text("utf-8").splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith(" ")}

    run, tested = pinned("requirements-run.lock"), pinned("requirements.lock")
    assert run < tested
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    packages = project["dependencies"] + project["optional-dependencies"]["platform"]
    needed = {re.split(r"[^a-z0-9-]", name.lower())[0] for name in packages}
    assert needed <= {name.partition("==")[0] for name in run}, "run `make lock`"
    assert not any(name.partition("==")[0] in ("pytest", "mypy", "hypothesis", "schemathesis") for name in run)


def test_every_process_waits_until_tables_topics_and_rights_are_made(compose: dict[str, Any]) -> None:
    for process in SEPARATE_PROCESSES:
        waits = compose["services"][process.name]["depends_on"]
        assert waits == {"prepare": {"condition": "service_completed_successfully"}}


def test_kafka_has_the_settings_of_the_embedded_one(compose: dict[str, Any]) -> None:
    lines = compose["configs"]["kafka"]["content"].splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    fixed = {name: value for name, value in properties.items() if name not in ADDRESSES and "jaas" not in name}
    session = session_properties(Settings.model_fields["kafka_session_s"].default)
    assert fixed == {**FIXED_PROPERTIES, **session}


def test_postgres_has_the_settings_of_the_embedded_one(compose: dict[str, Any]) -> None:
    options = compose["services"]["postgres"]["command"][1:]
    given = dict(option.removeprefix("--").split("=", 1) for option in options)
    assert given == POSTGRES_OPTIONS
    made = compose["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert made.split() == list(INITDB_OPTIONS)


def test_the_tests_containers_are_those_of_the_system(compose: dict[str, Any]) -> None:
    images = {name: compose["services"][name]["image"] for name in ("kafka", "postgres")}
    assert images == {"kafka": KAFKA_IMAGE, "postgres": POSTGRES_IMAGE}


def test_every_setting_that_a_process_is_given_exists(compose: dict[str, Any]) -> None:
    ours = {name: s for name, s in compose["services"].items() if s["image"] == "yesser-events"}
    assert {*(process.name for process in SEPARATE_PROCESSES), "prepare", "tool"} == set(ours)
    known = {f"YESSER_{name.upper()}" for name in Settings.model_fields}
    for name, service in ours.items():
        assert set(service["environment"]) <= known, name


MORE_SECRETS = {
    "delivery": {"delivery/endpoint-key", "delivery/smtp"},
    "gateway": {"reader/postgres", "tokens/hash-key", "console-tokens/key"},
    "console": {"reader/postgres", "console-tokens/key"},
}
"""Delivery unseals the secrets of webhooks, and signs in to the mail server. The gateway and the console read as the
reader. The gateway has the tokens' hash key, and the key of what the console sends to it."""


def test_each_process_gets_the_secrets_of_its_own_principal_as_files(compose: dict[str, Any]) -> None:
    for process in SEPARATE_PROCESSES:
        own = {f"{process.name}/postgres"} | {f"{n}/kafka" for n in KAFKA_PRINCIPALS if n == process.name}
        assert targets(compose, process.name) == own | MORE_SECRETS.get(process.name, set()), process.name
    everyones = {f"{principal}/postgres" for principal in PRINCIPALS} | {f"{name}/kafka" for name in KAFKA_PRINCIPALS}
    superusers = {"superuser/postgres", "superuser/kafka"}
    assert targets(compose, "prepare") == everyones | superusers | {"delivery/endpoint-key"}
    assert targets(compose, "kafka") == {"superuser/kafka", "superuser/kafka-controller"}
    assert targets(compose, "postgres") == {"superuser/postgres"}
    with_superusers = {name for name in compose["services"] if any("superuser" in t for t in targets(compose, name))}
    assert with_superusers == {"kafka", "postgres", "prepare"}


def test_only_the_registrar_has_the_logs_folder_and_only_the_gateway_its_own(compose: dict[str, Any]) -> None:
    mounts = {name: service.get("volumes", []) for name, service in compose["services"].items()}
    assert [name for name, found in mounts.items() if "log:/var/lib/yesser/log" in found] == ["registrar"]
    assert [name for name, found in mounts.items() if "gateway:/var/lib/yesser/gateway" in found] == ["gateway"]


def test_who_verifies_signatures_or_shows_the_key_has_the_logs_public_key_alone(
    compose: dict[str, Any],
) -> None:
    key = {"source": "log-vkey", "target": "/var/lib/yesser/log/log.vkey"}
    assert compose["configs"]["log-vkey"] == {"file": "./config/log.vkey"}
    found = {name: service.get("configs", []) for name, service in compose["services"].items()}
    assert {name for name, given in found.items() if key in given} == {"console", "gateway", "tool"}
    home = Path(compose["services"]["console"]["environment"]["YESSER_HOME"])
    assert Path(key["target"]) == log_key_files(Settings(home=home)).vkey


OF_A_DEPLOYMENT = {"campaign_rules", "witness_policy", "mail_server", "mail_user", "mail_from", "console_address"}


def test_every_process_sees_the_files_that_a_deployments_settings_name(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if service["image"] == "yesser-events":
            assert "./config:/config:ro" in service["volumes"], name
            unset = {given for given, value in service["environment"].items() if value is None}
            assert {f"YESSER_{setting.upper()}" for setting in OF_A_DEPLOYMENT} <= unset, name


def targets(compose: dict[str, Any], service: str) -> set[str]:
    """The files that a service sees under `/run/secrets`; each is a secret of this file by its own name."""
    given = compose["services"][service].get("secrets", [])
    for secret in given:
        assert secret["source"] == secret["target"].replace("/", "-")
        assert compose["secrets"][secret["source"]] == {"file": f"./secrets/{secret['source']}"}
    return {secret["target"] for secret in given}


def test_every_secret_is_used(compose: dict[str, Any]) -> None:
    used = {target.replace("/", "-") for name in compose["services"] for target in targets(compose, name)}
    assert used == set(compose["secrets"])


def test_kafka_gets_its_passwords_in_files_and_on_no_command_line(compose: dict[str, Any], tmp_path: Path) -> None:
    """The script itself, with other programs in place of Kafka's: they note their command lines and environment."""
    (tmp_path / "superuser").mkdir()
    (tmp_path / "superuser" / "kafka").write_text("first-secret")
    (tmp_path / "superuser" / "kafka-controller").write_text("second-secret")
    (tmp_path / "given.properties").write_text(compose["configs"]["kafka"]["content"])
    for program in ("kafka-storage.sh", "kafka-server-start.sh", "java"):
        path = tmp_path / program
        path.write_text(
            f'#!/bin/bash\necho "{program} $*" >> {tmp_path}/said; env >> {tmp_path}/said\n'
            f'[ "${{1:0:1}}" = @ ] && cp "${{1:1}}" {tmp_path}/format.kept; echo an-id\n'
        )
        path.chmod(0o700)
    (script,) = compose["services"]["kafka"]["command"]
    for container, here in (
        ("$$", "$"),
        ("/run/secrets", str(tmp_path)),
        ("/config/server.properties", str(tmp_path / "given.properties")),
        ("/opt/kafka/bin", str(tmp_path)),
        ("/tmp/server.properties", str(tmp_path / "server.properties")),
        ("/tmp/format", str(tmp_path / "format")),
        ("java @", f"{tmp_path}/java @"),
    ):
        if not here.startswith(container):
            script = script.replace(container, here)
    subprocess.run(["bash", "-c", script], check=True, timeout=30)

    said = (tmp_path / "said").read_text()
    assert f"kafka-server-start.sh {tmp_path}/server.properties" in said
    assert "secret" not in said.replace("/superuser", "")
    written = (tmp_path / "server.properties").read_text()
    assert 'username="admin" password="first-secret";' in written
    assert 'password="second-secret" user_controller="second-secret";' in written
    assert "@" not in written.replace("voters=1@", "")
    assert (tmp_path / "server.properties").stat().st_mode & 0o077 == 0
    assert (
        '"SCRAM-SHA-512=[name=admin,iterations=8192,password=first-secret]"' in (tmp_path / "format.kept").read_text()
    )
    assert not (tmp_path / "format").exists()


def test_who_serves_others_is_reached_at_the_port_that_it_listens_on(compose: dict[str, Any]) -> None:
    for process in SEPARATE_PROCESSES:
        service = compose["services"][process.name]
        ports = [port.rpartition(":")[2] for port in service.get("ports", [])]
        served = [] if process.port_setting is None else [service["environment"][process.port_setting]]
        assert ports == served, process.name


def test_the_image_holds_every_package_and_the_folder_lets_it_in() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    rooms = {pattern.rstrip("*") for pattern in packages["include"]}
    copied = {
        name
        for line in (ROOT / "Containerfile").read_text("utf-8").splitlines()
        if line.startswith("COPY ")
        for name in line.split()[1:-1]
    }
    let_in = {line[1:] for line in (ROOT / ".containerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert rooms <= copied
    assert copied <= let_in
    assert all((ROOT / name).exists() for name in copied)


def test_no_password_stands_in_the_file_or_in_an_environment(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        environment = service.get("environment", {})
        assert {name for name in environment if "PASSWORD" in name} <= {"POSTGRES_PASSWORD_FILE"}
        assert "@" not in environment.get("YESSER_POSTGRES", "")


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    mounted = {v.split(":")[0] for s in compose["services"].values() for v in s.get("volumes", [])}
    folders = {".", "./config", "./infra/monitoring"}
    assert mounted - folders == set(compose["volumes"])
    assert all((ROOT / folder).is_dir() for folder in folders - {"./config"}), "an operator makes ./config"


def test_plain_connections_stay_on_this_machine(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
