"""An agency's new Kafka password, shown once: by itself, or as a configuration of Java or librdkafka clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import click
from msgspec import UNSET, Struct, UnsetType

from events.values.bilingual import Bilingual
from infra.command_line.language import print_localized
from infra.command_line.output import print_json
from infra.command_line.parameters import OutputFile, gathered
from infra.embedded.servers.kafka import SCRAM_LOGIN
from infra.kafka.client_config import AgencyListener, agency_listener, agency_topic, client_arguments
from infra.kafka.rights import agency_user
from infra.secret_files import write_private
from infra.settings import Settings

Form = Literal["properties", "kcat"]
FORMS: Final[tuple[Form, ...]] = ("properties", "kcat")


@dataclass(frozen=True, slots=True)
class Output:
    """How the password is handed over: as it is, or in a client's configuration, printed or in a private file."""

    form: Form | None
    file: Path | None


class Credential(Struct, kw_only=True):
    """The answer of `yesser agencies add` and `rotate` with `--json`: an agency, and how it reaches Kafka."""

    code: str
    role: str | UnsetType = UNSET
    name: dict[str, str] | UnsetType = UNSET
    new: bool | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    kafka_user: str
    kafka: str | UnsetType = UNSET
    kafka_security: str | UnsetType = UNSET
    ca_file: str | UnsetType | None = UNSET
    password: str | UnsetType = UNSET
    properties: dict[str, str] | UnsetType = UNSET
    file: str | UnsetType = UNSET


output_options: Final = gathered(
    "output",
    Output,
    click.option("--format", "form", type=click.Choice(FORMS), help="Print a configuration for Java, or librdkafka."),
    click.option(
        "--output", "file", type=OutputFile(), help="Write the configuration to a file that only you can read."
    ),
)
"""The options `--format` and `--output`, as an `Output`."""


def hand_over(settings: Settings, code: str, secret: str, output: Output, document: Credential | None) -> None:
    """Print or write the password, this once. `document` is completed for `--json`; None prints for people."""
    user = agency_user(code)
    own = settings.model_copy(update={"kafka_user": user, "kafka_password": secret})
    listener = agency_listener(settings)
    properties = client_properties(client_arguments(own), output.form or "properties", listener)
    if document is not None:
        document.kafka, document.kafka_security = listener.bootstrap_servers, listener.security_protocol
        document.ca_file = None if listener.ca is None else str(listener.ca)
    if output.file is not None:
        write_private(output.file, properties_text(properties))
        if document is not None:
            document.file = str(output.file)
            print_json(document)
            return
        detail = Bilingual("{}: إعدادات كافكا للجهة {} وموضوعها {}.", "{}: the Kafka configuration of {}, for {}.")
        print_localized(detail.format(output.file, code, agency_topic(code)))
    elif document is not None:
        if output.form is None:
            document.password = secret
        else:
            document.properties = properties
        print_json(document)
    elif output.form is not None:
        click.echo(properties_text(properties), nl=False)
    else:
        click.echo(secret)
        sentence = Bilingual(
            "كلمة مرور {} في كافكا. سلّمها للجهة: لن تُعرض ثانية ولا تُحفظ هنا.",
            "The Kafka password of {}. Give it to the agency: it is not kept here and cannot be shown again.",
        ).format(user)
        print_localized(sentence, err=True)
        _show_listener(listener)


def _show_listener(listener: AgencyListener) -> None:
    servers, protocol = listener.bootstrap_servers, listener.security_protocol
    print_localized(Bilingual("عنوان كافكا {} ({}).", "Kafka's address: {} ({}).").format(servers, protocol), err=True)
    if listener.ca is not None:
        sentence = Bilingual("شهادة جهة الإصدار لعملاء الجهة: {}.", "The authority's certificate for its clients: {}.")
        print_localized(sentence.format(listener.ca), err=True)


def client_properties(arguments: Mapping[str, Any], form: Form, listener: AgencyListener) -> dict[str, str]:
    """The same client configuration: `properties` for Java, `kcat` for librdkafka. `arguments` has the credential."""
    properties = {"bootstrap.servers": listener.bootstrap_servers, "security.protocol": listener.security_protocol}
    if listener.ca is not None and form == "kcat":
        properties["ssl.ca.location"] = str(listener.ca)
    elif listener.ca is not None:
        properties |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(listener.ca)}
    if "sasl_mechanism" not in arguments:
        return properties
    mechanism, user = arguments["sasl_mechanism"], arguments["sasl_plain_username"]
    password = arguments["sasl_plain_password"]
    if form == "kcat":
        return properties | {"sasl.mechanisms": mechanism, "sasl.username": user, "sasl.password": password}
    login = f'{SCRAM_LOGIN} required username="{user}" password="{password}";'
    return properties | {"sasl.mechanism": mechanism, "sasl.jaas.config": login}


def properties_text(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())
