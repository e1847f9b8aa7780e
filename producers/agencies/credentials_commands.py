"""`yesser agencies credentials CODE`: an agency's Kafka credential as a configuration of Java or librdkafka clients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import click
import orjson

from infra.command_line.completion import agency_codes
from infra.command_line.language import print_localized
from infra.command_line.output import json_option
from infra.embedded.servers.kafka import SCRAM_LOGIN
from infra.kafka.client_config import agency_topic, client_arguments
from infra.secret_files import write_private
from infra.settings import Settings
from producers.publisher.kafka_publisher import principal

Form = Literal["properties", "kcat"]
FORMS: Final[tuple[Form, ...]] = ("properties", "kcat")


@click.command("credentials")
@click.argument("code", shell_complete=agency_codes)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="properties",
    show_default=True,
    help="For Java, or librdkafka.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a private file.")
@json_option
def credentials(code: str, form: Form, output: Path | None, as_json: bool) -> None:
    """Print the Kafka configuration of agency CODE for standard clients.

    It includes the agency's password: prefer --output, whose file only its owner can read.
    """
    settings = Settings()
    properties = client_properties(client_arguments(settings, principal(settings, code)), form)
    document = {"code": code, "topic": agency_topic(code)}
    if output is not None:
        write_private(output, properties_text(properties))
        if as_json:
            click.echo(orjson.dumps(document | {"file": str(output)}))
            return
        print_localized(
            f"{output}: إعدادات كافكا للجهة {code} وموضوعها {agency_topic(code)}.",
            f"{output}: the Kafka configuration of {code}, for {agency_topic(code)}.",
        )
    elif as_json:
        click.echo(orjson.dumps(document | {"properties": properties}))
    else:
        click.echo(properties_text(properties), nl=False)


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
    return "".join(f"{name}={value}\n" for name, value in properties.items())
