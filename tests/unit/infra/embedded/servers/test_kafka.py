"""Kafka's settings and command lines: everything an installation in production would ask for, and no leaked secret."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from infra.embedded.servers.kafka import (
    Java,
    cluster_properties,
    copy_storage,
    java_command,
    server_properties,
    tls_properties,
    write_configuration,
)

PASSWORDS = {"admin": "secret-of-admin", "controller": "secret-of-controller", "platform": "secret-of-platform"}
PORTS = {"port": 1, "controller_port": 2}


def _properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_nobody_may_do_anything_by_default_and_no_topic_is_made_by_accident_or_shortened() -> None:
    found = _properties(server_properties(Path("/data"), PORTS, PASSWORDS))
    assert found["allow.everyone.if.no.acl.found"] == "false"
    assert found["authorizer.class.name"].endswith("StandardAuthorizer")
    assert found["auto.create.topics.enable"] == "false"
    assert found["sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert found["log.retention.ms"] == "-1", "nothing is kept for a limited time"
    assert found["listeners"] == "SASL://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert found["controller.quorum.voters"] == "1@127.0.0.1:2", "a restart on other ports needs no recorded quorum"


def test_of_three_brokers_two_have_what_is_acknowledged_kafkas_own_topics_too(tmp_path: Path) -> None:
    write_configuration(tmp_path, PORTS, PASSWORDS, session_s=1, cluster=cluster_properties(3, [7, 8, 9]))
    found = _properties((tmp_path / "server.properties").read_text("utf-8"))
    assert (found["node.id"], found["controller.quorum.voters"]) == ("3", "1@127.0.0.1:7,2@127.0.0.1:8,3@127.0.0.1:9")
    assert {value for name, value in found.items() if name.endswith("replication.factor")} == {"3"}
    assert {value for name, value in found.items() if name.endswith(("min.isr", "min.insync.replicas"))} == {"2"}


def test_a_further_broker_has_the_controllers_log_of_the_first_and_no_vote_and_no_record_of_it(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("kafka", "kafka-2", "kafka-3"))
    quorum = first / "data" / "__cluster_metadata-0"
    for folder in (quorum, first / "data" / "yesser.log-0"):
        folder.mkdir(parents=True)
        (folder / "0.log").write_bytes(b"records")
    (quorum / "quorum-state").write_text("voted for 1")
    meta = first / "data" / "meta.properties"
    meta.write_text("#\nversion=1\ncluster.id=abc\nnode.id=1\ndirectory.id=own\n")
    copy_storage(first, second, 2, with_quorum=True)
    copy_storage(first, third, 3, with_quorum=False)
    files = {str(path.relative_to(second / "data")) for path in second.rglob("*") if path.is_file()}
    assert files == {"meta.properties", "__cluster_metadata-0/0.log"}
    assert [path.name for path in (third / "data").iterdir()] == ["meta.properties"], "the others give it the rest"
    found = [_properties((folder / "data" / "meta.properties").read_text()) for folder in (second, third)]
    assert [each["node.id"] for each in found] == ["2", "3"]
    assert {each["cluster.id"] for each in found} == {"abc"}
    assert len({"own", *(each["directory.id"] for each in found)}) == 3


def test_with_tls_only_loopback_is_plain_and_a_certificate_names_an_agency_or_nobody() -> None:
    tls = {**PORTS, "tls_port": 3, "mutual_tls_port": 4}
    found = _properties(server_properties(Path("/data"), tls, PASSWORDS, tls_properties(tls)))
    protocols = dict(entry.split(":") for entry in found["listener.security.protocol.map"].split(","))
    assert {name for name, protocol in protocols.items() if "SSL" in protocol} == {"AGENCIES", "CERTIFICATES"}
    assert found["listeners"].endswith("AGENCIES://127.0.0.1:3,CERTIFICATES://127.0.0.1:4")
    assert found["listener.name.certificates.ssl.client.auth"] == "required"
    pattern = found["ssl.principal.mapping.rules"].removeprefix("RULE:").partition("/")[0]
    names = ("CN=agency-health", "CN=gateway", "CN=admin", "CN=agency-health,O=x", "O=x\\,CN=agency-health")
    assert [name for name in names if re.fullmatch(pattern, name)] == ["CN=agency-health"]


def test_neither_passwords_nor_the_name_of_the_folder_are_on_a_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "بيت, x"
    folder.mkdir()
    write_configuration(folder, PORTS, PASSWORDS, session_s=3_600)
    file = folder / "server.properties"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    command = " ".join(java_command(Java(Path("/java"), [Path("/a.jar")], Path("/archive"))))
    assert "-XX:AOTCache=/archive" in command
    without = " ".join(java_command(Java(Path("/java"), [Path("/a.jar")], None)))
    assert "secret-of" not in command + without
    assert "بيت" not in command + without + file.read_text("utf-8")
