"""`yesser agencies credentials CODE`: a configuration file for standard Kafka clients."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from infra.command_line.completion import agency_codes
from infra.command_line.language import say
from infra.command_line.output import json_option
from infra.kafka.client_config import agency_topic, client_arguments
from infra.secret_files import write_private
from infra.settings import Settings
from producers.agencies.credentials import FORMS, Form, client_properties, properties_text
from producers.publisher.kafka_publisher import principal


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
        say(
            f"{output}: إعدادات كافكا للجهة {code} وموضوعها {agency_topic(code)}.",
            f"{output}: the Kafka configuration of {code}, for {agency_topic(code)}.",
        )
    elif as_json:
        click.echo(orjson.dumps(document | {"properties": properties}))
    else:
        click.echo(properties_text(properties), nl=False)
