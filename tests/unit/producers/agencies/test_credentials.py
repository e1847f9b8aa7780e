"""An agency's credential as other people's clients read it."""

from __future__ import annotations

from pathlib import Path

from infra.kafka.client_config import AgencyListener
from producers.agencies.credentials import client_properties, properties_text

TLS = AgencyListener("kafka.example:9092", "SASL_SSL")
PRIVATE = AgencyListener("127.0.0.1:9094", "SASL_SSL", Path("/etc/tls/ca.pem"))
SCRAM = {
    "bootstrap_servers": "kafka.example:9092",
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_plain_username": "agency-health",
    "sasl_plain_password": "secret",
}


def test_javas_clients_get_a_login_module() -> None:
    assert properties_text(client_properties(SCRAM, "properties", TLS)) == (
        "bootstrap.servers=kafka.example:9092\n"
        "security.protocol=SASL_SSL\n"
        "sasl.mechanism=SCRAM-SHA-512\n"
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required"
        ' username="agency-health" password="secret";\n'
    )


def test_librdkafka_gets_user_and_password_where_kafka_has_users() -> None:
    assert client_properties(SCRAM, "kcat", TLS) == {
        "bootstrap.servers": "kafka.example:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": "agency-health",
        "sasl.password": "secret",
    }
    plain = AgencyListener("localhost:9092", "PLAINTEXT")
    assert client_properties({"security_protocol": "PLAINTEXT"}, "kcat", plain) == {
        "bootstrap.servers": "localhost:9092",
        "security.protocol": "PLAINTEXT",
    }


def test_a_private_authority_is_named_in_the_words_of_each_client() -> None:
    java, librdkafka = client_properties(SCRAM, "properties", PRIVATE), client_properties(SCRAM, "kcat", PRIVATE)
    assert (java["ssl.truststore.type"], java["ssl.truststore.location"]) == ("PEM", "/etc/tls/ca.pem")
    assert librdkafka["ssl.ca.location"] == "/etc/tls/ca.pem"
    assert {java["bootstrap.servers"], librdkafka["bootstrap.servers"]} == {"127.0.0.1:9094"}
