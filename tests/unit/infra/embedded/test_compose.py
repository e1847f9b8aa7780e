"""`compose.yaml` starts the same parts as `yesser up`."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml

from infra.embedded.processes.signals import PROCESSES
from infra.embedded.servers.kafka import FIXED_PROPERTIES
from infra.embedded.servers.postgres import INITDB_OPTIONS
from infra.process.commands import process_entries
from infra.settings import Settings
from tests.containers import KAFKA_IMAGE, POSTGRES_IMAGE, POSTGRES_OPTIONS
from tests.paths import ROOT

ADDRESSES = {"log.dirs", "listeners", "advertised.listeners", "controller.quorum.voters"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return document


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


def test_every_process_waits_until_tables_topics_and_rights_are_made(compose: dict[str, Any]) -> None:
    for process in SEPARATE_PROCESSES:
        waits = compose["services"][process.name]["depends_on"]
        assert waits == {"prepare": {"condition": "service_completed_successfully"}}


def test_kafka_has_the_settings_of_the_embedded_one(compose: dict[str, Any]) -> None:
    lines = compose["configs"]["kafka"]["content"].splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    fixed = {name: value for name, value in properties.items() if name not in ADDRESSES and "jaas" not in name}
    assert fixed == dict(FIXED_PROPERTIES)


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


def test_what_administers_may_and_the_processes_may_not(compose: dict[str, Any]) -> None:
    users = {name: s["environment"].get("YESSER_KAFKA_USER") for name, s in compose["services"].items()}
    assert {name for name, user in users.items() if user == "admin"} == {"prepare", "tool"}
    assert {name for name, user in users.items() if user == "platform"} == {
        process.name for process in SEPARATE_PROCESSES
    }


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


def test_no_password_stands_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("${YESSER_")


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    mounted = {v.split(":")[0] for s in compose["services"].values() for v in s.get("volumes", [])}
    assert mounted - {"."} == set(compose["volumes"])
