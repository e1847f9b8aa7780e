"""An agency's credential as other people's clients read it."""

from __future__ import annotations

from producers.agencies.credentials import client_properties, properties_text

SCRAM = {
    "bootstrap_servers": "kafka.example:9092",
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_plain_username": "agency-health",
    "sasl_plain_password": "secret",
}


def test_javas_clients_get_a_login_module() -> None:
    assert properties_text(client_properties(SCRAM, "properties")) == (
        "bootstrap.servers=kafka.example:9092\n"
        "security.protocol=SASL_SSL\n"
        "sasl.mechanism=SCRAM-SHA-512\n"
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required"
        ' username="agency-health" password="secret";\n'
    )


def test_librdkafka_gets_user_and_password() -> None:
    assert client_properties(SCRAM, "kcat") == {
        "bootstrap.servers": "kafka.example:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": "agency-health",
        "sasl.password": "secret",
    }


def test_a_kafka_without_users_needs_no_credential() -> None:
    plain = {"bootstrap_servers": "localhost:9092", "security_protocol": "PLAINTEXT"}
    assert client_properties(plain, "kcat") == {
        "bootstrap.servers": "localhost:9092",
        "security.protocol": "PLAINTEXT",
    }
