"""An agency's Kafka credential as a configuration of other clients: Java and librdkafka.

Flows in: aiokafka's arguments. Flows out: properties. They include the password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from infra.embedded.servers.kafka import SCRAM_LOGIN

Form = Literal["properties", "kcat"]
FORMS: Final[tuple[Form, ...]] = ("properties", "kcat")


def client_properties(arguments: Mapping[str, Any], form: Form) -> dict[str, str]:
    """The same client configuration: `properties` for Java, `kcat` for librdkafka."""
    found = {"bootstrap.servers": arguments["bootstrap_servers"], "security.protocol": arguments["security_protocol"]}
    if "sasl_mechanism" not in arguments:
        return found
    mechanism, user = arguments["sasl_mechanism"], arguments["sasl_plain_username"]
    password = arguments["sasl_plain_password"]
    if form == "kcat":
        return found | {"sasl.mechanisms": mechanism, "sasl.username": user, "sasl.password": password}
    login = f'{SCRAM_LOGIN} required username="{user}" password="{password}";'
    return found | {"sasl.mechanism": mechanism, "sasl.jaas.config": login}


def properties_text(properties: Mapping[str, str]) -> str:
    """The text of a properties file."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())
