"""`compose.yaml` starts the same parts as `yesser up`."""

from __future__ import annotations

import re
import subprocess
import tomllib
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final, cast
from unittest.mock import AsyncMock

import pytest
import yaml

from infra.embedded.processes.signals import OWN_WORK
from infra.embedded.servers.kafka import session_properties
from infra.embedded.servers.postgres import INITDB_OPTIONS
from infra.embedded.supervisor import prepare_database
from infra.kafka.admin import allow_principals
from infra.principals import PRINCIPALS
from infra.private_keys.key_files import log_key_files
from infra.process.commands import process_entries
from infra.settings import Settings
from tests.containers import KAFKA_IMAGE, POSTGRES_IMAGE
from tests.every import every
from tests.paths import ROOT

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTAINERFILE: Final = (ROOT / "Containerfile").read_text("utf-8")


def test_the_steps_on_the_page_write_every_file_that_compose_needs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "containers.md").read_text("utf-8")
    (steps,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    subprocess.run(["sh", "-eu", "-c", f"umask 077\n{steps}"], cwd=tmp_path, check=True)
    secrets, config = tmp_path / "secrets", tmp_path / "config"
    needed = [secret["file"] for secret in COMPOSE["secrets"].values()]
    missing = [file for file in needed if not (tmp_path / file).is_file()]
    assert not missing, f"the steps of docs/containers.md make no {missing}"
    assert (config / "log.vkey").is_file()
    assert secrets.stat().st_mode & 0o077 == 0
    seen = [*secrets.iterdir(), config, config / "log.vkey"]
    assert all(path.stat().st_mode & 0o004 for path in seen), "a container's user is another one"


def test_every_process_has_a_service_that_waits_for_what_is_prepared_and_is_reached_at_its_port() -> None:
    commands = {name: service.get("command") for name, service in SERVICES.items()}
    processes = {name: command for name, command in commands.items() if command and command[0] == "run"}
    assert processes == {process.name: ["run", process.name] for process in OWN_WORK}, (
        "compose.yaml has a service for each process of infra/embedded/processes/signals.py"
    )
    assert process_entries().keys() - processes.keys() == {"consumers", "backup"}, (
        "each of the entry points `yesser.processes` (pyproject.toml) is in infra/embedded/processes/signals.py"
    )
    for process in OWN_WORK:
        service = SERVICES[process.name]
        assert service["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}
        ports = [port.rpartition(":")[2] for port in service.get("ports", [])]
        served = [] if process.port_setting is None else [service["environment"][process.port_setting]]
        assert ports == served, process.name
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published), "plain connections stay on this machine"


def test_every_lasting_service_has_a_health_check_and_comes_back_by_itself() -> None:
    lasting = [s for name, s in SERVICES.items() if name not in ("prepare", "tool")]
    assert all("healthcheck" in service and service["restart"] == "unless-stopped" for service in lasting)
    shell = SERVICES["kafka"]["healthcheck"]["test"][:3]
    assert shell == ["CMD", "bash", "-c"], "to BusyBox, the image's `sh`, `/dev/tcp` is a folder that does not exist"


@every("name", sorted(SERVICES))
def test_no_container_can_change_its_files_or_gain_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    options = {path: given for path, _, given in (mount.partition(":") for mount in service["tmpfs"])}
    assert options["/tmp"] == ("exec" if name == "kafka" else "")
    assert (options.get("/opt/kafka/logs") == "size=128m") is (name == "kafka"), "logs in memory are bounded"
    assert not service.get("privileged")
    assert ("cap_add" in service) is (name == "postgres")


def test_the_image_does_not_run_as_root_and_installs_locked_packages_only() -> None:
    lines = CONTAINERFILE.splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert int(users[-1]) > 0, "a number, so that an orchestrator can tell"
    installs = [line for line in lines if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_the_image_holds_every_package_readable_whatever_umask_the_clone_was_made_with() -> None:
    lines = CONTAINERFILE.splitlines()
    (opened,) = (number for number, line in enumerate(lines) if "chmod -R a+rX ." in line)
    copies = {number: line for number, line in enumerate(lines) if line.startswith("COPY ")}
    assert max(copies) < opened < lines.index("USER 999")
    packages = PROJECT["tool"]["setuptools"]["packages"]["find"]
    rooms = {pattern.rstrip("*") for pattern in packages["include"]}
    copied = {name for line in copies.values() for name in line.split()[1:-1]}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert rooms <= copied <= let_in
    assert all((ROOT / name).exists() for name in copied)


def test_the_volumes_in_the_home_belong_to_the_processes() -> None:
    """A new volume on a folder that the image lacks belongs to root, and no process could write there."""
    text = CONTAINERFILE.replace("\\\n", "")
    (made,) = re.findall(r"install --directory --owner yesser --group yesser --mode 0700 (.*)", text)
    ours = [service for service in SERVICES.values() if service["image"] == "yesser-events"]
    mounts = [mount.split(":") for service in ours for mount in service.get("volumes", [])]
    assert {target for source, target, *_ in mounts if not source.startswith(".")} == set(made.split())
    assert text.index("useradd") < text.index(made) < text.index("VOLUME /var/lib/yesser")


def test_what_runs_in_production_has_the_versions_that_are_tested() -> None:
    def pinned(file: str) -> set[str]:
        lines = (ROOT / file).read_text("utf-8").splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith(" ")}

    run = pinned("requirements-run.lock")
    assert run < pinned("requirements.lock")
    packages = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["platform"]
    needed = {re.split(r"[^a-z0-9-]", name.lower())[0] for name in packages}
    names = {name.partition("==")[0] for name in run}
    assert needed <= names, "run `make lock`"
    assert not names & {"pytest", "mypy", "hypothesis", "schemathesis"}


def kafka_settings() -> Path:
    """The file of the broker's settings; only a file can be given to a container that cannot change its own."""
    assert COMPOSE["configs"]["kafka"].keys() == {"file"}
    return ROOT / str(COMPOSE["configs"]["kafka"]["file"])


def test_kafka_and_postgres_are_those_of_the_tests() -> None:
    (reauthentication,) = session_properties(Settings.model_fields["kafka_session_s"].default).items()
    assert "=".join(reauthentication) in kafka_settings().read_text("utf-8").splitlines()
    assert SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split() == list(INITDB_OPTIONS)
    images = {name: SERVICES[name]["image"] for name in ("kafka", "postgres")}
    assert images == {"kafka": KAFKA_IMAGE, "postgres": POSTGRES_IMAGE}


def test_a_process_is_given_settings_that_exist_and_sees_the_files_that_a_deployments_settings_name() -> None:
    ours = {name: service for name, service in SERVICES.items() if service["image"] == "yesser-events"}
    assert {*(process.name for process in OWN_WORK), "prepare", "tool"} == set(ours), "as services of compose.yaml"
    known = {f"YESSER_{name.upper()}" for name in Settings.model_fields}
    for name, service in ours.items():
        assert set(service["environment"]) <= known, name
        assert "./config:/config:ro" in service["volumes"], name
        unset = {given for given, value in service["environment"].items() if value is None}
        assert {f"YESSER_{setting.upper()}" for setting in OF_A_DEPLOYMENT} <= unset, name
    given = SERVICES["console"]["environment"]
    of_the_console = ["console_trusted_proxies"] + [name for name in Settings.model_fields if "_oidc_" in name]
    assert [given.get(f"YESSER_{name.upper()}", "") for name in of_the_console] == [None] * 6, "passed on where set"
    assert SERVICES["gateway"]["environment"]["YESSER_GATEWAY_TRUSTED_PROXIES"] is None


def test_only_the_servers_and_what_prepares_them_see_a_superusers_password_and_every_secret_is_used() -> None:
    with_superusers = {name for name in SERVICES if any("superuser" in t for t in targets(name))}
    assert with_superusers == {"kafka", "postgres", "prepare"}
    used = {target.replace("/", "-") for name in SERVICES for target in targets(name)}
    assert used == set(COMPOSE["secrets"])
    processes = SERVICES.keys() & {process.name for process in OWN_WORK}
    foreign = {(name, target) for name in processes for target in targets(name) if not target.startswith(f"{name}/")}
    assert {(name, target) for name, target in foreign if target.partition("/")[0] in PRINCIPALS} == {
        ("gateway", "reader/postgres"),
        ("console", "reader/postgres"),
    }
    assert {(name, target) for name, target in foreign if target.partition("/")[0] not in PRINCIPALS} == {
        *(("gateway", key) for key in ("tokens/hash-key", "console-tokens/key", "teams/key")),
        *(("console", key) for key in ("console-tokens/key", "accounts/key")),
        ("delivery", "teams/key"),
    }


def test_no_password_stands_in_the_file_or_in_an_environment() -> None:
    on_or_off = "YESSER_CONSOLE_PASSWORDS"  # whether people sign in with one
    for service in SERVICES.values():
        environment = service.get("environment", {})
        assert {name for name in environment if "PASSWORD" in name} <= {"POSTGRES_PASSWORD_FILE", on_or_off}
        assert "@" not in environment.get("YESSER_POSTGRES", "")


async def test_prepare_has_every_secret_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not: no container can change its files."""
    for target in targets("prepare"):
        (tmp_path / target).parent.mkdir(exist_ok=True)
        (tmp_path / target).write_text("given", "ascii")
    before = files_of(tmp_path)
    for module in ("infra.postgres.connection", "infra.keys.access_changes"):
        monkeypatch.setattr(f"{module}.connected", lambda *_, **__: nullcontext())
    monkeypatch.setattr("infra.postgres.roles.create_roles", AsyncMock())
    monkeypatch.setattr("infra.embedded.supervisor._run", AsyncMock())
    monkeypatch.setattr("infra.kafka.admin.raw_client", lambda _: None)
    for call in ("create_scram_user", "delete_scram_user", "create_acls", "delete_acls"):
        monkeypatch.setattr(f"infra.kafka.admin.{call}", AsyncMock())
    address = "postgresql://postgres:5432/yesser"
    settings = Settings(home=tmp_path / "home", secrets=tmp_path, postgres=address, kafka="kafka:9092")
    await prepare_database(settings)
    await allow_principals(cast(Any, None), settings)
    assert files_of(tmp_path) == before, "of `prepare` in compose.yaml: run `python -m infra.deployment_files`"


def files_of(folder: Path) -> dict[Path, str]:
    return {path: path.read_text("ascii") for path in folder.rglob("*") if path.is_file()}


OF_A_DEPLOYMENT = {"campaign_rules", "witness_policy", "mail_server", "mail_user", "mail_from", "console_address"}


def targets(service: str) -> set[str]:
    """The files that a service sees under `/run/secrets`; each is a secret of this file by its own name."""
    given = SERVICES[service].get("secrets", [])
    for secret in given:
        assert secret["source"] == secret["target"].replace("/", "-")
        assert COMPOSE["secrets"][secret["source"]] == {"file": f"./secrets/{secret['source']}"}
    return {secret["target"] for secret in given}


def start_kafka(folder: Path) -> str:
    """Run the script itself, with other programs in place of Kafka's; returns their command lines and environment."""
    (folder / "superuser").mkdir()
    (folder / "superuser" / "kafka").write_text("first-secret")
    (folder / "superuser" / "kafka-controller").write_text("second-secret")
    for program in ("kafka-storage.sh", "kafka-server-start.sh", "java"):
        path = folder / program
        path.write_text(
            f'#!/bin/bash\necho "{program} $*" >> {folder}/said; env >> {folder}/said\n'
            f'[ "${{1:0:1}}" = @ ] && cp "${{1:1}}" {folder}/format.kept; echo an-id\n'
        )
        path.chmod(0o700)
    (script,) = SERVICES["kafka"]["command"]
    for container, here in (
        ("$$", "$"),
        ("/run/secrets", str(folder)),
        ("/config/server.properties", str(kafka_settings())),
        ("/opt/kafka/bin", str(folder)),
        ("/var/lib/kafka/data", str(folder / "data")),
        ("/tmp/server.properties", str(folder / "server.properties")),
        ("/tmp/format", str(folder / "format")),
        ("java @", f"{folder}/java @"),
    ):
        if not here.startswith(container):
            script = script.replace(container, here)
    subprocess.run(["bash", "-c", script], check=True, timeout=30)
    return (folder / "said").read_text()


def test_kafka_gets_its_passwords_in_files_and_on_no_command_line(tmp_path: Path) -> None:
    said = start_kafka(tmp_path)
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


def test_kafka_formats_its_storage_once(tmp_path: Path) -> None:
    """Each run of the tool makes another id, which it then refuses for the storage that it finds."""
    (tmp_path / "data" / "log").mkdir(parents=True)
    (tmp_path / "data" / "log" / "meta.properties").write_text("cluster.id=the-first\n")
    said = start_kafka(tmp_path)
    assert f"kafka-server-start.sh {tmp_path}/server.properties" in said
    assert "random-uuid" not in said
    assert "java @" not in said


def test_only_the_registrar_has_the_logs_folder_and_others_its_public_key_alone() -> None:
    mounts = {name: service.get("volumes", []) for name, service in SERVICES.items()}
    assert [name for name, found in mounts.items() if "log:/var/lib/yesser/log" in found] == ["registrar"]
    assert [name for name, found in mounts.items() if "gateway:/var/lib/yesser/gateway" in found] == ["gateway"]
    mounted = {mount.split(":")[0] for found in mounts.values() for mount in found}
    folders = {"./files", "./config", "./infra/monitoring"}  # never "." or "./secrets": a secret comes by its name
    assert mounted - folders == set(COMPOSE["volumes"])
    assert (ROOT / "infra/monitoring").is_dir(), "the others are made by an operator"
    key = {"source": "log-vkey", "target": "/var/lib/yesser/log/log.vkey"}
    assert COMPOSE["configs"]["log-vkey"] == {"file": "./config/log.vkey"}
    found = {name: service.get("configs", []) for name, service in SERVICES.items()}
    assert {name for name, given in found.items() if key in given} == {"console", "gateway", "tool"}
    home = Path(SERVICES["console"]["environment"]["YESSER_HOME"])
    assert Path(key["target"]) == log_key_files(Settings(home=home)).vkey
