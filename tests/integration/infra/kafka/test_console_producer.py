"""Kafka's own console producer, with an agency's credential, in the agency's own topic and in another's."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from infra.kafka.client_config import agency_topic, bootstrap
from infra.kafka.end_offsets import end_offsets_reader
from tests.scenarios.system import System

OWN, OTHER = "console-own", "console-other"
EVENT = (
    '{"specversion":"1.0","id":"console-1","source":"urn:yesser:agency:console-own",'
    '"type":"sa.gov.yesser.training.certified.v1","subject":"trainee/trn_consoleconsoleco",'
    '"time":"2005-05-05T05:05:05Z","data":{"certificate_id":"C-1","trainee":"trn_consoleconsoleco",'
    '"track":"usage","on":"2005-05-05","employer":"console-own"}}'
)


def produce(system: System, properties: Path, topic: str) -> str:
    """Send the event in structured mode; what the tool prints."""
    address = properties.read_text().partition("\n")[0].removeprefix("bootstrap.servers=")
    command = [sys.executable, "-m", "infra.cli", "kafka", "console-producer", "--topic", topic]
    command += ["--bootstrap-server", address, "--command-config", str(properties)]
    result = subprocess.run(
        [*command, "--reader-property", "parse.headers=true"],
        input=f"content-type:application/cloudevents+json\t{EVENT}\n",
        env=system.environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return result.stdout + result.stderr


async def ends_of(system: System, *topics: str) -> dict[str, int]:
    """How many records were ever written to each topic."""
    async with end_offsets_reader(system.settings) as ends:
        return await ends(topics)


def test_the_console_producer_writes_to_its_own_topic_and_is_refused_on_anothers(
    system: System, tmp_path: Path
) -> None:
    own, other = agency_topic(OWN), agency_topic(OTHER)
    system.add_agencies([(OWN, "agency"), (OTHER, "agency")])
    properties = tmp_path / "client.properties"
    rotated = system.ask("agencies", "rotate", OWN, "--output", str(properties))
    assert rotated == {
        "code": OWN,
        "topic": own,
        "kafka_user": f"agency-{OWN}",
        "file": str(properties),
        "kafka": bootstrap(system.settings),
        "kafka_security": "SASL_PLAINTEXT",
        "ca_file": None,
    }
    assert properties.stat().st_mode & 0o777 == 0o600

    assert produce(system, properties, own) == ""
    refused = produce(system, properties, other)
    assert f"TopicAuthorizationException: Not authorized to access topics: [{other}]" in refused

    system.settle()
    (found,) = system.ask("log", "find", "--id", "console-1")
    entry = system.ask("log", "show", str(found["index"]))
    assert (entry["from"], entry["event"]) == (f"{own}/0/0", json.loads(EVENT))
    assert asyncio.run(ends_of(system, own, other)) == {own: 1, other: 0}
