"""`infra/kubernetes` deploys what `compose.yaml` does, and its objects are valid. No cluster runs here."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import kubernetes_validate
import pytest
import yaml

from infra.deployment_files import POSTGRES_OPTIONS
from infra.embedded.processes.signals import OWN_WORK
from infra.embedded.servers.postgres import INITDB_OPTIONS
from infra.kafka.rights import Operation, principal_rights
from infra.keys.hash_keys import accounts_key_files, console_key_files, hash_key_files, load_hash_keys
from infra.principals import KAFKA_PRINCIPALS, PRINCIPALS
from infra.settings import Settings
from tests.every import every
from tests.paths import ROOT

FOLDER: Final = ROOT / "infra" / "kubernetes"
VERSIONS: Final = ("1.29", "1.37")
"""The oldest and the newest Kubernetes of docs/kubernetes.md."""
SERVICES: Final[dict[str, dict[str, Any]]] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
OURS: Final = sorted(name for name, service in SERVICES.items() if service["image"] == "yesser-events")
ONLY_HERE: Final = {"YESSER_KAFKA_SECURITY", "YESSER_KAFKA_REPLICATION_FACTOR", "YESSER_TLS_CA"}
OPERATORS: Final[dict[str, dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("kubernetes_operators.yaml").read_text("utf-8")
)
Manifest = dict[str, Any]


def rendered(folder: str) -> list[Manifest]:
    """What `kubectl apply -k` makes of a folder whose kustomization lists files and numbers of copies alone."""
    listed = yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text("utf-8"))
    assert listed.keys() <= {"apiVersion", "kind", "resources", "replicas"}
    found: list[Manifest] = []
    for name in listed["resources"]:
        found += rendered(name[3:]) if name.startswith("../") else deepcopy(read(FOLDER / folder / name))
    for copies in listed.get("replicas", []):
        (deployment,) = (one for one in of_kind(found, "Deployment") if one["metadata"]["name"] == copies["name"])
        deployment["spec"]["replicas"] = copies["count"]
    return found


@cache
def read(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def of_kind(objects: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in objects if one["kind"] in kinds]


@cache
def everything() -> list[Manifest]:
    return [one for folder in ("prepare", "processes", "tool") for one in rendered(folder)]


@dataclass(frozen=True)
class Deployed:
    """What both deployments say of one of our containers."""

    image: str
    command: tuple[str, ...]
    copies: int
    secrets: frozenset[str]
    variables: frozenset[str]
    lasting: frozenset[tuple[str, str]]
    clients: frozenset[int]
    probes: tuple[tuple[int, str], ...]
    grace_s: int | None


def of_compose(service: dict[str, Any]) -> Deployed:
    runs = service.get("command", [""])[0] == "run"
    check = re.search(r":(\d+)(/\w+)", " ".join(service["healthcheck"]["test"])) if runs else None
    volumes = [volume.split(":") for volume in service["volumes"]]
    return Deployed(
        image=service["image"],
        command=tuple(service.get("command", ())),
        copies=1,
        secrets=frozenset(secret["target"] for secret in service["secrets"]),
        variables=frozenset(service["environment"]) | ONLY_HERE,
        lasting=frozenset((volume[0], volume[1]) for volume in volumes if not volume[0].startswith(".")),
        clients=frozenset(int(port.rpartition(":")[2]) for port in service.get("ports", [])),
        probes=() if check is None else ((int(check[1]), "/healthz"), (int(check[1]), check[2])),
        grace_s=int(service["stop_grace_period"].removesuffix("s")) if runs else None,
    )


def of_kubernetes(objects: list[Manifest]) -> dict[str, Deployed]:
    """Container → what is deployed."""
    found = {}
    for owner in of_kind(objects, "Deployment", "StatefulSet", "Job", "Pod"):
        pod = owner if owner["kind"] == "Pod" else owner["spec"]["template"]
        (container,) = pod["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        probes = [container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe") if probe in container]
        services = [s for s in of_kind(objects, "Service") if s["spec"]["selector"] == selector(pod)]
        found[container["name"]] = Deployed(
            image=container["image"],
            command=tuple(container["args"]),
            copies=owner["spec"].get("replicas", 1),
            secrets=frozenset(secrets(pod)),
            variables=frozenset(variable["name"] for variable in container["env"]),
            lasting=frozenset(lasting(owner, pod)),
            clients=frozenset(ports.get(p["targetPort"], 0) for s in services for p in s["spec"]["ports"] if p["port"]),
            probes=tuple((ports[probe["port"]], probe["path"]) for probe in probes),
            grace_s=None if not probes else pod["spec"]["terminationGracePeriodSeconds"],
        )
    return found


def selector(pod: Manifest) -> dict[str, str]:
    name = "app.kubernetes.io/name"
    return {name: pod["metadata"]["labels"][name]}


def secrets(pod: Manifest) -> Iterator[str]:
    """The files below /run/secrets; each is the key of its owner's Secret."""
    (volume,) = (volume for volume in pod["spec"]["volumes"] if volume["name"] == "secrets")
    for source in volume["projected"]["sources"]:
        for item in source["secret"]["items"]:
            assert item["path"] == f"{source['secret']['name'].removeprefix('yesser-')}/{item['key']}"
            yield item["path"]


def lasting(owner: Manifest, pod: Manifest) -> Iterator[tuple[str, str]]:
    claims = {claim["metadata"]["name"] for claim in owner["spec"].get("volumeClaimTemplates", [])}
    claims |= {volume["name"] for volume in pod["spec"]["volumes"] if "persistentVolumeClaim" in volume}
    for mount in pod["spec"]["containers"][0]["volumeMounts"]:
        if mount["name"] in claims:
            yield mount["name"], mount["mountPath"]


def test_both_deployments_run_the_same() -> None:
    compose = {name: of_compose(SERVICES[name]) for name in OURS}
    assert {process.name for process in OWN_WORK} == compose.keys() - {"prepare", "tool"}, "as services of compose.yaml"
    assert of_kubernetes(everything()) == compose, "run `python -m infra.deployment_files`"


def the(objects: list[Manifest], name: str) -> Manifest:
    (found,) = (one for one in of_kind(objects, "Deployment", "StatefulSet") if one["metadata"]["name"] == name)
    return found


def require_valid(manifest: Manifest) -> None:
    kind = f"{manifest['apiVersion']} {manifest['kind']}"
    if kind in OPERATORS:
        assert manifest.keys() == {"apiVersion", "kind", "metadata", "spec"}
        jsonschema_rs.validator_for(OPERATORS[kind]).validate(manifest["spec"])
    else:
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_every_object_is_valid_and_has_its_name_once() -> None:
    shown = {version for version in VERSIONS if version in kubernetes_validate.latest_version()}
    assert shown, "test the newest Kubernetes whose schemas are here"
    objects = [*everything(), *rendered("standbys"), *examples()]
    for manifest in objects:
        require_valid(manifest)
    named = [(one["kind"], one["metadata"]["name"]) for one in [*everything(), *examples()]]
    assert len(named) == len(set(named))


def examples() -> list[Manifest]:
    return [one for path in sorted((FOLDER / "examples").iterdir()) for one in read(path)]


@every("kind", ["Deployment", "NetworkPolicy", "KafkaTopic", "KafkaUser", "Cluster"])
def test_a_field_that_does_not_exist_is_refused(kind: str) -> None:
    manifest = deepcopy(of_kind([*everything(), *examples()], kind)[0])
    manifest["spec"]["replica"] = 1
    with pytest.raises((jsonschema_rs.ValidationError, kubernetes_validate.ValidationError)):
        require_valid(manifest)


def test_the_folders_hold_no_file_of_a_process_that_is_gone() -> None:
    listed = {one["metadata"]["name"] for one in of_kind(everything(), "Deployment", "StatefulSet")}
    gone = {path.stem for path in (FOLDER / "processes").iterdir()} - {*listed, "metrics", "kustomization"}
    assert not gone, f"compose.yaml has no services {gone}: delete their files"


@every("name", OURS)
def test_no_pod_can_gain_privileges_or_change_its_image_and_none_asks_the_cluster(name: str) -> None:
    (owner,) = (
        o for o in everything() if o["metadata"]["name"] == name and o["kind"] not in ("Service", "NetworkPolicy")
    )
    pod = (owner if owner["kind"] == "Pod" else owner["spec"]["template"])["spec"]
    held = pod["containers"][0]["securityContext"]
    assert held == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}" in (ROOT / "Containerfile").read_text("utf-8").splitlines()
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch", "else a group could read the log's key"
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False, "an address of a service would be read as a setting"


def test_the_settings_are_valid_and_neither_kafka_nor_the_database_is_reached_without_tls() -> None:
    for name in OURS:
        (pod,) = (p for p in pods() if p["spec"]["containers"][0]["name"] == name)
        given = {one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]}
        known = {f"YESSER_{setting.upper()}" for setting in Settings.model_fields}
        assert given.keys() <= known
        settings = Settings(**{one.removeprefix("YESSER_").lower(): v for one, v in given.items() if v is not None})
        assert not settings.allows_plaintext("kafka")
        assert not settings.allows_plaintext("postgres")
        assert (settings.kafka_security, settings.kafka_replication_factor) == ("SASL_SSL", 3)
        assert "sslmode=verify-full" in (settings.postgres or "")


def pods() -> list[Manifest]:
    owners = of_kind(everything(), "Deployment", "StatefulSet", "Job", "Pod")
    return [owner if owner["kind"] == "Pod" else owner["spec"]["template"] for owner in owners]


def test_a_pod_reaches_the_servers_whose_passwords_it_has() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(everything(), "NetworkPolicy")}
    ports = {"kafka": 9093, "postgres": 5432}
    for server, port in ports.items():
        spec = policies[f"yesser-to-{server}"]
        assert [rule["ports"] for rule in spec["egress"]] == [[{"port": port}]]
        chosen = spec["podSelector"]["matchLabels"].items()
        reaching = {selector(p)["app.kubernetes.io/name"] for p in pods() if chosen <= p["metadata"]["labels"].items()}
        assert reaching == {name for name in OURS if any(t.endswith(f"/{server}") for t in targets(name))}
    (to_gateway,) = policies["yesser-console-to-gateway"]["egress"]
    assert {rule["port"] for rule in to_gateway["ports"]} == of_compose(SERVICES["gateway"]).clients
    assert policies["yesser-default"]["policyTypes"] == ["Ingress", "Egress"]
    label = policies["yesser-default"]["podSelector"]["matchLabels"].items()
    assert all(label <= pod["metadata"]["labels"].items() for pod in pods())


def targets(name: str) -> frozenset[str]:
    return of_compose(SERVICES[name]).secrets


def test_only_processes_that_keep_no_files_have_a_second_copy() -> None:
    objects = rendered("standbys")
    doubled = {one["metadata"]["name"] for one in of_kind(objects, "Deployment") if one["spec"]["replicas"] == 2}
    budgets = {one["metadata"]["name"] for one in of_kind(objects, "PodDisruptionBudget")}
    without_files = {process.name for process in OWN_WORK} - {"registrar", "gateway", "console"}
    assert doubled == budgets == without_files, "run `python -m infra.deployment_files`"
    for budget in of_kind(objects, "PodDisruptionBudget"):
        chosen = the(objects, budget["metadata"]["name"])["spec"]["selector"]
        assert budget["spec"] == {"maxUnavailable": 1, "selector": chosen}


def test_a_user_of_kafka_may_do_what_our_own_rights_say() -> None:
    users = {one["metadata"]["name"]: one["spec"] for one in of_kind(examples(), "KafkaUser")}
    assert users.keys() == {"admin", *KAFKA_PRINCIPALS}, "run `python -m infra.deployment_files`"
    assert "authorization" not in users["admin"], "the cluster names the superuser"
    granted = {right for name, spec in users.items() for right in rights_of(name, spec)}
    assert granted == {(*key, operation) for key, operations in ours() for operation in operations}


Granted = tuple[str, str, str | None, bool, bool]


def ours() -> Iterator[tuple[Granted, tuple[Operation, ...]]]:
    for right in principal_rights(Settings()):
        yield (right.user, right.resource.name, right.prefix, right.denied, right.exact), right.operations


def rights_of(user: str, spec: Manifest) -> Iterator[tuple[str, str, str | None, bool, bool, Operation]]:
    for acl in spec.get("authorization", {}).get("acls", []):
        name = acl["resource"].get("name", "*")
        prefix, exact = (None, False) if name == "*" else (name, acl["resource"]["patternType"] == "literal")
        for operation in acl["operations"]:
            (known,) = (one for one in Operation if one.name.replace("_", "") == operation.upper())
            yield user, acl["resource"]["type"].upper(), prefix, acl["type"] == "deny", exact, known


def test_a_topic_of_a_cluster_loses_nothing_with_one_broker() -> None:
    topics = {one["metadata"]["name"]: one["spec"] for one in of_kind(examples(), "KafkaTopic")}
    logs = {"yesser.log", "yesser.checkpoints", "yesser.texts"}
    assert topics.keys() == logs | {"yesser.campaign-triggers", "agency.platform.events"}
    for spec in topics.values():
        assert (spec["partitions"], spec["replicas"]) == (1, 3)
        safe = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
        assert safe.items() <= spec["config"].items()
    assert topics["yesser.log"]["config"]["retention.ms"] == "-1"
    for name in ("yesser.checkpoints", "yesser.texts"):
        assert topics[name]["config"]["cleanup.policy"] == "compact"
    assert topics["agency.platform.events"]["config"]["max.message.bytes"] == "131072"


def test_the_database_is_made_as_ours_and_a_commit_waits_for_a_second_copy() -> None:
    (cluster,) = of_kind(examples(), "Cluster")
    made = cluster["spec"]["bootstrap"]["initdb"]
    options = {"--auth=scram-sha-256"}  # CloudNativePG's own
    options |= {"--data-checksums"} if made["dataChecksums"] else set()
    options |= {f"--encoding={made['encoding']}", f"--locale-provider={made['localeProvider']}"}
    options |= {f"--locale={one}" for one in (made["localeCollate"], made["localeCType"])}
    assert options | {f"--builtin-locale={made['builtinLocale']}"} == set(INITDB_OPTIONS)
    assert made["owner"] not in {"postgres", "yesser"}, "a role `yesser` is taken for that of an early release"
    assert cluster["spec"]["postgresql"]["parameters"] == POSTGRES_OPTIONS
    assert cluster["spec"]["postgresql"]["synchronous"]["dataDurability"] == "required"
    address = f"postgresql://{cluster['metadata']['name']}-rw:5432/{made['database']}?sslmode=verify-full"
    assert {one["value"] for p in pods() for one in variables(p) if one["name"] == "YESSER_POSTGRES"} == {address}


def variables(pod: Manifest) -> list[Manifest]:
    found: list[Manifest] = pod["spec"]["containers"][0]["env"]
    return found


def test_the_steps_on_the_page_make_every_secret_that_a_manifest_names(tmp_path: Path) -> None:
    """`kubectl` is a program that writes down what it was told, and refuses a file that is not there."""
    for name in ("containers", "kubernetes"):
        page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
        (steps,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        (tmp_path / name).write_text(steps)
    program = tmp_path / "kubectl"
    program.write_text(
        '#!/bin/sh\necho "$@" >> told\nfor one in "$@"; do case $one in --from-file=*) '
        'test -f "${one##*=}" || { echo "no $one" >&2; exit 1; };; esac; done\n'
    )
    program.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    for name in ("containers", "kubernetes"):
        subprocess.run(["sh", "-eu", name], cwd=tmp_path, check=True, env={**os.environ, "PATH": path})
    told = re.findall(r"^create secret generic (\S+) (.*)$", (tmp_path / "told").read_text(), re.MULTILINE)
    made = {(name, key) for name, rest in told for key in re.findall(r"--from-(?:file|literal)=([\w-]+)=", rest)}
    assert {name for name, _ in made} >= {f"yesser-{principal}" for principal in PRINCIPALS}
    named = {(f"yesser-{owner}", key) for name in OURS for owner, _, key in (t.partition("/") for t in targets(name))}
    for user in of_kind(examples(), "KafkaUser"):
        chosen = user["spec"]["authentication"]["password"]["valueFrom"]["secretKeyRef"]
        named.add((chosen["name"], chosen["key"]))
    (cluster,) = of_kind(examples(), "Cluster")
    named |= {(cluster["spec"]["superuserSecret"]["name"], key) for key in ("username", "password")}
    assert named <= made, f"the steps of docs/containers.md and docs/kubernetes.md make no {named - made}"


def test_a_projected_secret_is_read_although_its_group_can_read_it(tmp_path: Path) -> None:
    for place in ("tokens/hash-key", "console-tokens/key", "accounts/key"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_text("k" * 48)
        (tmp_path / place).chmod(0o440)
    settings = Settings(secrets=tmp_path)
    for key in (hash_key_files, console_key_files, accounts_key_files):
        assert load_hash_keys(key(settings)).current.text == "k" * 48
