"""Kafka's own console producer, with an agency's credential, in the agency's own topic."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from infra.kafka.client_config import agency_topic, bootstrap
from tests.scenarios.system import System

OWN = "console-own"
COMMAND = (sys.executable, "-m", "infra.cli", "kafka", "console-producer")
EVENT = (
    '{"specversion":"1.0","id":"console-1","source":"urn:yesser:agency:console-own",'
    '"type":"sa.gov.yesser.training.certified.v1","subject":"trainee/trn_consoleconsoleco",'
    '"time":"2005-05-05T05:05:05Z","data":{"certificate_id":"C-1","trainee":"trn_consoleconsoleco",'
    '"track":"usage","on":"2005-05-05","employer":"console-own"}}'
)


def test_the_console_producer_writes_to_its_own_topic(system: System, tmp_path: Path) -> None:
    topic, properties = agency_topic(OWN), tmp_path / "client.properties"
    system.add_agencies([(OWN, "agency")])
    rotated = system.ask("agencies", "rotate", OWN, "--output", str(properties))
    assert rotated == {
        "code": OWN,
        "topic": topic,
        "kafka_user": f"agency-{OWN}",
        "file": str(properties),
        "kafka": bootstrap(system.settings),
        "kafka_security": "SASL_PLAINTEXT",
        "ca_file": None,
    }
    assert properties.stat().st_mode & 0o777 == 0o600
    assert properties.read_text().startswith(f"bootstrap.servers={rotated['kafka']}\n")

    options = ("--topic", topic, "--bootstrap-server", rotated["kafka"], "--command-config", str(properties))
    sent = subprocess.run(
        [*COMMAND, *options, "--reader-property", "parse.headers=true"],
        input=f"content-type:application/cloudevents+json\t{EVENT}\n",
        env=system.environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert sent.stdout + sent.stderr == ""
    system.settle()
    (found,) = system.ask("log", "find", "--id", "console-1")
    entry = system.ask("log", "show", str(found["index"]))
    assert (entry["from"], entry["event"]) == (f"{topic}/0/0", json.loads(EVENT))
