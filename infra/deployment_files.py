"""Writes what the files of a deployment repeat: `python -m infra.deployment_files`.

In `compose.yaml` the secrets of each principal and PostgreSQL's settings, in `infra/monitoring/prometheus.yml` the
processes, in `docs/monitoring.md` the alerts (of `infra/monitoring/alerts.yml`) and the metrics, in `pyproject.toml`
the packages that the small install lacks, in `Containerfile` the release. The rest of these files is written by hand.
In `infra/kubernetes` the manifests of processes, their second copies, topics and users are written whole: what
`compose.yaml` says of each process, in the terms of Kubernetes, with `infra/kubernetes/pattern.yaml` (what every
process has), the rights on Kafka, the topics' configuration, and the measured memory. `--check` writes nothing, and
exits with 1 if one is stale.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from infra.embedded.processes.signals import OWN_WORK, PROCESSES
from infra.embedded.servers.postgres import SETTINGS
from infra.extras import EXTRAS
from infra.http.prose import heading_anchor
from infra.kafka.admin import platform_topics
from infra.kafka.rights import Resource, Right, principal_rights
from infra.observability.telemetry import METRICS, series
from infra.principals import KAFKA_PRINCIPALS, PRINCIPALS, SUPERUSER, kafka_user
from infra.settings import Settings

ROOT: Final = Path(__file__).parents[1]
_CONTAINERS: Final = tuple(process.name for process in OWN_WORK)
"""Containers are for machines with more cores: each consumer has its own."""
_TOOL: Final = ("administrator", "operator", "reader", "auditor")


def secrets_of(*principals: str) -> list[str]:
    """The passwords of these principals, by their place below `/run/secrets`."""
    services = {"postgres": (SUPERUSER, *PRINCIPALS), "kafka": (SUPERUSER, *KAFKA_PRINCIPALS)}
    return [f"{name}/{service}" for name in principals for service, known in services.items() if name in known]


# Delivery unseals the secrets of webhooks and signs in to the mail server; the console seals accounts and signs in to
# its identity provider; both it and the gateway read as the reader, and share the key of what it sends to the gateway.
SECRETS: Final[dict[str, list[str]]] = {
    "kafka": [f"{SUPERUSER}/kafka", f"{SUPERUSER}/kafka-controller"],
    "postgres": [f"{SUPERUSER}/postgres"],
    "prepare": [
        *secrets_of(SUPERUSER, *PRINCIPALS),
        *("delivery/endpoint-key", "console-tokens/key", "accounts/key", "teams/key"),
    ],
    **{name: secrets_of(name) for name in _CONTAINERS},
    "delivery": [*secrets_of("delivery"), "delivery/endpoint-key", "teams/key", "delivery/smtp"],
    "gateway": [
        *(*secrets_of("gateway"), "reader/postgres"),
        *("tokens/hash-key", "console-tokens/key", "teams/key"),
    ],
    "console": [
        *(*secrets_of("console"), "reader/postgres"),
        *("console-tokens/key", "accounts/key", "console/oidc-secret"),
    ],
    "tool": [*secrets_of(*_TOOL), "tokens/hash-key", "accounts/key", "teams/key"],
}
"""Service of `compose.yaml` → the secrets that it sees. Prepare sets every password, so it has them all."""


POSTGRES_OPTIONS: Final = {
    name: value.strip("'")
    for name, value in SETTINGS.items()
    if name not in ("listen_addresses", "unix_socket_directories", "log_line_prefix")
}
"""The settings of the embedded PostgreSQL that a container has too."""


def files() -> dict[str, str]:
    """File → its text, as it should be."""
    compose, pattern = _compose(_text("compose.yaml")), _text(f"{FOLDER}/pattern.yaml")
    return {
        "compose.yaml": compose,
        **kubernetes_files(compose, pattern, _text("docs/capacity.md")),
        f"{FOLDER}/examples/postgres.yaml": _replace(
            _text(f"{FOLDER}/examples/postgres.yaml"),
            r"\n    parameters: #.*\n",
            r"      .*\n",
            (f'      {name}: "{value}"' for name, value in POSTGRES_OPTIONS.items()),
        ),
        "infra/monitoring/prometheus.yml": re.sub(
            r"names: \[.*\]", f"names: [{', '.join(_CONTAINERS)}]", _text("infra/monitoring/prometheus.yml")
        ),
        "docs/monitoring.md": _monitoring(_text("docs/monitoring.md")),
        "Containerfile": re.sub(r"(image\.version=)\".*\"", rf'\g<1>"{release()}"', _text("Containerfile"), count=1),
        "pyproject.toml": _replace(
            _text("pyproject.toml"),
            r"\nforbidden_modules = \[\n",
            r"  \".*\",\n",
            (f'  "{module}",' for module in sorted(EXTRAS)),
        ),
    }


def release() -> str:
    """The number of this release, which `pyproject.toml` says."""
    return str(tomllib.loads(_text("pyproject.toml"))["project"]["version"])


def _text(file: str) -> str:
    path = ROOT / file
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _compose(text: str) -> str:
    for service, secrets in SECRETS.items():
        assert f"\n  {service}:\n" in text, f"write the service `{service}` into compose.yaml, with the line `secrets:`"
        listed = [f"      - {{source: {secret.replace('/', '-')}, target: {secret}}}" for secret in secrets]
        text = _replace(text, rf"\n  {service}:\n(?:(?:    .*)?\n)*?    secrets:\n", r"      - .*\n", listed)
    options = [f"      - --{name}={value}" for name, value in POSTGRES_OPTIONS.items()]
    text = _replace(text, r"\n      - postgres\n", r"      - --.*\n", options)
    names = sorted({secret.replace("/", "-") for secrets in SECRETS.values() for secret in secrets})
    return _replace(text, r"\nsecrets:\n", r"  .*\n", (f"  {name}: {{file: ./secrets/{name}}}" for name in names))


def _monitoring(text: str) -> str:
    text = _replace(text, r"\n\| alert \|.*\n\|[-|]+\n", r"\|.*\n", map(_row, _alerts()))
    return _replace(text, r"\n\| metric \|.*\n\|[-|]+\n", r"\|.*\n", map(_row, _metrics()))


def _replace(text: str, head: str, line: str, lines: Iterable[str]) -> str:
    """Replace the lines after what matches `head`."""
    written = "".join(f"{one}\n" for one in lines)
    text, count = re.subn(f"({head})(?:{line})*", lambda found: found[1] + written, text)
    assert count == 1, f"a line of a file is gone, or there twice, that this writes below: {head!r}"
    return text


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _alerts() -> Iterator[tuple[str, ...]]:
    (group,) = yaml.safe_load(_text("infra/monitoring/alerts.yml"))["groups"]
    for rule in group["rules"]:
        texts, where = rule["annotations"], f"{rule['alert']} in infra/monitoring/alerts.yml"
        missing = sorted({"summary", "summary_ar", "runbook"} - texts.keys())
        assert not missing, f"{where} needs the annotations {', '.join(missing)}"
        summary = re.sub(r"\{\{ \$(?:labels\.)?(\w+) \}\}", r"*\1*", texts["summary"])
        page, _, anchor = texts["runbook"].partition("#")
        headings = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
        titles = [heading for heading in headings if not anchor or heading_anchor(heading) == anchor]
        assert titles, f"{where} names {texts['runbook']}: write this section"
        link = f"[{titles[0]}]({texts['runbook'].removeprefix('docs/')})"
        yield f"`{rule['alert']}`", rule["labels"]["severity"], summary, link


def _metrics() -> Iterator[tuple[str, ...]]:
    for name, (meaning, labels) in METRICS.items():
        yield f"`{series(name)}`", ", ".join(f"`{label}`" for label in labels), meaning


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.deployment_files", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    check = parser.parse_args().check
    stale = {file: text for file, text in files().items() if text != _text(file)}
    for file, text in stale.items():
        if check:
            sys.stderr.write(f"{file} is stale: run `python -m infra.deployment_files`\n")
        else:
            (ROOT / file).write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


Manifest = dict[str, Any]
"""An object of Kubernetes, or a part of one."""

FOLDER: Final = "infra/kubernetes"
_CLAIM: Final = re.compile(r"([a-z]+):(/var/lib/yesser/.+)")
"""A volume of `compose.yaml` that is in the home of a process."""
_COPIES: Final = 3
_TOP: Final = "# Written by `python -m infra.deployment_files`. Rendered and validated, not run: docs/kubernetes.md.\n"


class Mounted(msgspec.Struct, frozen=True):
    """A secret or a file, and where a service sees it."""

    source: str
    target: str


class Service(msgspec.Struct, frozen=True):
    """A service of `compose.yaml` that runs our image."""

    image: str
    environment: dict[str, str | None]
    secrets: list[Mounted]
    volumes: list[str]
    command: list[str] = []
    configs: list[Mounted] = []
    ports: list[str] = []

    @property
    def claims(self) -> dict[str, str]:
        """Where it sees each volume that lasts."""
        return {claim[1]: claim[2] for claim in map(_CLAIM.fullmatch, self.volumes) if claim}


class Pattern(msgspec.Struct, frozen=True):
    """`pattern.yaml`."""

    environment: dict[str, str]
    pod: Manifest
    container: Manifest
    volumes: list[Manifest]
    mounts: list[Manifest]
    probes: Manifest
    storage: Manifest


def kubernetes_files(compose: str, pattern: str, capacity: str) -> dict[str, str]:
    """File → its text. `capacity` is the page with the measured memory."""
    every = yaml.safe_load(compose)["services"].items()
    services = msgspec.convert(
        {name: one for name, one in every if one["image"] == "yesser-events"}, dict[str, Service]
    )
    shape, memory = msgspec.convert(yaml.safe_load(pattern), Pattern), _memory(capacity)
    pods = {name: _pod(shape, name, service, memory) for name, service in services.items()}
    run = {name: service for name, service in services.items() if service.command[:1] == ["run"]}
    files = {f"processes/{name}": _process(shape, name, service, pods[name]) for name, service in run.items()}
    files["processes/kustomization"] = [_kustomization(["metrics.yaml", *(f"{name}.yaml" for name in run)])]
    files |= _standbys([name for name, service in run.items() if not (service.claims or service.ports)])
    claims = [_object("v1", "PersistentVolumeClaim", claim, shape.storage) for claim in services["prepare"].claims]
    pods["prepare"]["spec"]["restartPolicy"] = "OnFailure"
    files["prepare/prepare"] = [*claims, _object("batch/v1", "Job", "prepare", {"template": pods["prepare"]})]
    pods["tool"]["spec"]["containers"][0]["command"] = ["sleep", "infinity"]
    pods["tool"]["metadata"]["name"] = "tool"
    files["tool/tool"] = [{"apiVersion": "v1", "kind": "Pod", **pods["tool"]}]
    files |= {"examples/kafka-topics": _topics(), "examples/kafka-users": _users()}
    return {
        f"{FOLDER}/{name}.yaml": _TOP + yaml.dump_all(manifests, Dumper=_Plain, sort_keys=False, width=120)
        for name, manifests in files.items()
    }


def _memory(capacity: str) -> dict[str, int]:
    """Process → MiB at rest. The consumers were measured in one process, which is more than each has by itself."""
    found = {name: int(mib) for name, mib in re.findall(r"^\| ([a-z]+) \| (\d+) \|", capacity, re.MULTILINE)}
    return found | {part: found[process.name] for process in PROCESSES for part in process.replaces}


def _process(shape: Pattern, name: str, service: Service, pod: Manifest) -> list[Manifest]:
    """Its Deployment, or StatefulSet where it has a folder that lasts, and its Service where it has clients."""
    health = {"name": "health", "containerPort": int(service.environment["YESSER_HEALTH_PORT"] or 0)}
    clients = [{"name": "http", "containerPort": int(port.rpartition(":")[2])} for port in service.ports]
    pod["spec"]["containers"][0] |= {"ports": [health, *clients], **shape.probes}
    spec = {"replicas": 1, "selector": {"matchLabels": _labels(name)}, "template": pod}
    if service.claims:
        spec["serviceName"] = "yesser-metrics"
        spec["volumeClaimTemplates"] = [{"metadata": {"name": c}, "spec": shape.storage} for c in service.claims]
    found = [_object("apps/v1", "StatefulSet" if service.claims else "Deployment", name, spec)]
    for client in clients:
        ports = [{"name": "http", "port": client["containerPort"], "targetPort": "http"}]
        found.append(_object("v1", "Service", name, {"selector": _labels(name), "ports": ports}))
    return found


def _standbys(names: Sequence[str]) -> dict[str, list[Manifest]]:
    """A second copy of each process that keeps no files and has no clients: a lease decides which one works."""
    copies = [{"name": name, "count": 2} for name in names]
    budgets = {name: {"maxUnavailable": 1, "selector": {"matchLabels": _labels(name)}} for name in names}
    return {
        "standbys/kustomization": [_kustomization(["../processes", "disruption.yaml"]) | {"replicas": copies}],
        "standbys/disruption": [_object("policy/v1", "PodDisruptionBudget", *one) for one in budgets.items()],
    }


def _kustomization(resources: Sequence[str]) -> Manifest:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [*resources]}


def _pod(shape: Pattern, name: str, service: Service, memory: Mapping[str, int]) -> Manifest:
    """Its own secrets as files, its settings, its folders."""
    secrets = [secret.target.split("/") for secret in service.secrets]
    sources = [
        {"secret": {"name": f"yesser-{owner}", "items": [{"key": key, "path": f"{owner}/{key}"}]}}
        for owner, key in secrets
    ]
    volumes: list[Manifest] = [{"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}]
    mounts: list[Manifest] = [{"name": "secrets", "mountPath": "/run/secrets", "readOnly": True}]
    for claim, folder in service.claims.items():
        mounts.append({"name": claim, "mountPath": folder})
        if service.command[:1] != ["run"]:  # a StatefulSet adds the volumes of its own claims
            volumes.append({"name": claim, "persistentVolumeClaim": {"claimName": claim}})
    for file in service.configs:
        volumes.append({"name": file.source, "configMap": {"name": f"yesser-{file.source}", "optional": True}})
        mounts.append({"name": file.source, "mountPath": file.target.rpartition("/")[0], "readOnly": True})
    mib = memory.get(name, max(memory.values()))
    container = {
        "name": name,
        "image": service.image,
        "args": service.command,
        "env": [_variable(*one) for one in {**service.environment, **shape.environment}.items()],
        "resources": {"requests": {"cpu": "100m", "memory": f"{mib}Mi"}, "limits": {"memory": f"{4 * mib}Mi"}},
        "volumeMounts": [*shape.mounts, *mounts],
        **shape.container,
    }
    reaches = {f"reaches-{server}": "true" for server in ("kafka", "postgres") if server in {key for _, key in secrets}}
    labels = {**_labels(name), "app.kubernetes.io/part-of": "yesser-events", **reaches}
    spec = {**shape.pod, "containers": [container], "volumes": [*shape.volumes, *volumes]}
    return {"metadata": {"labels": labels}, "spec": spec}


def _variable(name: str, value: str | None) -> Manifest:
    """A setting, or one of the deployment's own where it has no value."""
    if value is not None:
        return {"name": name, "value": value}
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": "yesser-settings", "key": name, "optional": True}}}


def _topics() -> list[Manifest]:
    """The topics that are there before the first agency, each in three copies."""
    topics = platform_topics(Settings(kafka="yesser-kafka-bootstrap:9093", kafka_replication_factor=_COPIES)).items()
    return [
        _of_kafka("KafkaTopic", name, {"partitions": 1, "replicas": _COPIES, "config": config})
        for name, config in topics
    ]


def _users() -> list[Manifest]:
    """The superuser, which the cluster names as one, and each principal with its rights."""
    users, rights = [], principal_rights(Settings())
    for principal in (SUPERUSER, *KAFKA_PRINCIPALS):
        secret = {"name": f"yesser-{principal}", "key": "kafka"}
        login = {"type": "scram-sha-512", "password": {"valueFrom": {"secretKeyRef": secret}}}
        spec: Manifest = {"authentication": login}
        if acls := [_acl(right) for right in rights if right.user == principal]:
            spec["authorization"] = {"type": "simple", "acls": acls}
        users.append(_of_kafka("KafkaUser", kafka_user(principal), spec))
    return users


def _acl(right: Right) -> Manifest:
    resource = {"type": right.resource.name.lower()}
    if right.resource is not Resource.CLUSTER:
        resource |= {"name": right.name, "patternType": "literal" if right.is_literal else "prefix"}
    operations = [operation.name.title().replace("_", "") for operation in right.operations]
    return {"type": "deny" if right.denied else "allow", "resource": resource, "operations": operations}


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def _object(version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _of_kafka(kind: str, name: str, spec: Manifest) -> Manifest:
    found = _object("kafka.strimzi.io/v1", kind, name, spec)
    found["metadata"]["labels"] = {"strimzi.io/cluster": "yesser"}
    return found


class _Plain(yaml.SafeDumper):
    """Writes a part that stands in several places in each of them."""

    def ignore_aliases(self, data: object) -> bool:
        return True


if __name__ == "__main__":
    sys.exit(main())
