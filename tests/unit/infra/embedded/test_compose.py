"""`compose.yaml` starts the same system as `yesser up`: a part that is added in one must stand in the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.embedded.kafka_server import FIXED_PROPERTIES
from infra.embedded.postgres_server import SETTINGS
from infra.embedded.processes import PROCESSES

ADDRESSES = {"log.dirs", "listeners", "advertised.listeners", "controller.quorum.voters"}
OF_THE_EMBEDDED_SERVER_ALONE = {"listen_addresses", "unix_socket_directories", "log_line_prefix"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((Path(__file__).parents[4] / "compose.yaml").read_text("utf-8"))
    return document


def test_every_process_of_the_table_has_a_service_and_no_other_process_has(compose: dict[str, Any]) -> None:
    commands = {name: service.get("command") for name, service in compose["services"].items()}
    processes = {name: command for name, command in commands.items() if command and command[0] == "run"}
    assert processes == {process.name: list(process.arguments) for process in PROCESSES}


def test_every_lasting_service_has_a_health_check_and_comes_back_by_itself(compose: dict[str, Any]) -> None:
    lasting = [s for name, s in compose["services"].items() if name not in ("prepare", "tool")]
    assert all("healthcheck" in service and service["restart"] == "unless-stopped" for service in lasting)


def test_every_process_waits_until_tables_topics_and_rights_are_made(compose: dict[str, Any]) -> None:
    for process in PROCESSES:
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
    ours = {n: v.strip("'") for n, v in SETTINGS.items() if n not in OF_THE_EMBEDDED_SERVER_ALONE}
    assert given == ours


def test_no_password_stands_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("${YESSER_")


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    mounted = {v.split(":")[0] for s in compose["services"].values() for v in s.get("volumes", [])}
    assert mounted - {"."} == set(compose["volumes"])
