"""Writes what the files of a deployment repeat: `python -m infra.deployment_files`.

In `compose.yaml` the secrets of each principal and PostgreSQL's settings, in `infra/monitoring/prometheus.yml` the
processes, in `docs/monitoring.md` the alerts (of `infra/monitoring/alerts.yml`) and the metrics, in `pyproject.toml`
the packages that the small install lacks, in `Containerfile` the release. The rest of these files is written by hand.
In `infra/kubernetes` the manifests of processes, topics and users are written whole (`infra.kubernetes_manifests`).
`--check` writes nothing, and exits with 1 if one is stale.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import yaml

from infra.embedded.processes.signals import OWN_WORK
from infra.embedded.servers.postgres import SETTINGS
from infra.extras import EXTRAS
from infra.http.prose import heading_anchor
from infra.kubernetes_manifests import FOLDER, kubernetes_files
from infra.observability.telemetry import METRICS, series
from infra.principals import KAFKA_PRINCIPALS, PRINCIPALS, SUPERUSER

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
    assert count == 1, f"the pattern {head!r} is there {count} times"
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


if __name__ == "__main__":
    sys.exit(main())
