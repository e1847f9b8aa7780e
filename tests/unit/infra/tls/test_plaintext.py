"""What may be plain: connections that stay on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

import pytest
from pydantic import ValidationError

from consumers.console.process import Console
from consumers.delivery.mail.smtp import smtp_server
from infra.kafka.client_config import AgencyListener, agency_listener, client_arguments, refuse_plain_kafka
from infra.observability.telemetry import setup
from infra.settings import PlainConnection, Settings
from infra.tls.client import postgres_context
from infra.tls.plaintext import PlaintextRefused, is_loopback, refuse_plain_http, refuse_plaintext
from producers.gateway.access.jwt_tokens import JwtIssuer
from producers.outbox.relay import require_credentials
from tests.every import every


def test_which_hosts_are_this_machine() -> None:
    here = ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST")
    elsewhere = ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example", "")
    assert [host for host in (*here, *elsewhere) if is_loopback(host)] == [*here]


@every("security", ["SASL_PLAINTEXT", "PLAINTEXT"])
@every("servers", ["kafka.example:9092", "127.0.0.1:9092,kafka.example:9092", "[2001:db8::1]:9092"])
def test_kafka_on_another_machine_needs_tls(tmp_path: Path, security: str, servers: str) -> None:
    settings = Settings(
        home=tmp_path, kafka=servers, kafka_security=security, kafka_user="agency-health", kafka_password="secret"
    )
    with pytest.raises(PlaintextRefused, match="YESSER_KAFKA_SECURITY=SASL_SSL") as caught:
        client_arguments(settings)
    assert "YESSER_DANGEROUSLY_ALLOW_PLAINTEXT" in str(caught.value)
    client_arguments(settings.model_copy(update={"dangerously_allow_plaintext": "kafka"}))
    assert "ssl_context" in client_arguments(settings.model_copy(update={"kafka_security": "SASL_SSL"}))


def test_plain_http_to_another_machine_names_its_setting() -> None:
    for address in ("http://idp.example/keys", "http://10.0.0.1:4318", "ftp://idp.example/", "idp.example/keys"):
        with pytest.raises(PlaintextRefused, match="YESSER_X"):
            refuse_plain_http(Settings(), "issuer", "YESSER_X", address)
    for address in ("https://idp.example/keys", "http://127.0.0.1:80/keys", "http://[::1]/"):
        refuse_plain_http(Settings(), "issuer", "YESSER_X", address)


async def test_nothing_secret_goes_to_another_machine_in_plain_text(tmp_path: Path) -> None:
    issuer = Settings(gateway_jwt_issuer="https://idp.example", gateway_jwks_address="http://idp.example/keys")
    with pytest.raises(PlaintextRefused, match="YESSER_GATEWAY_JWKS_ADDRESS"):
        JwtIssuer.of(issuer)
    with pytest.raises(PlaintextRefused, match="YESSER_OTLP_ENDPOINT"):
        setup(Settings(otlp_endpoint="http://traces.example:4318"), "test")
    plain = Settings(home=tmp_path, outbox_gateway="http://gateway.example", outbox_token="secret")
    with pytest.raises(PlaintextRefused, match="YESSER_OUTBOX_GATEWAY"):
        require_credentials(plain, "health")
    with pytest.raises(PlaintextRefused, match="Kafka"):
        require_credentials(Settings(home=tmp_path, kafka="kafka.example:9092", kafka_user="agency-health"), "health")
    require_credentials(plain.model_copy(update={"outbox_gateway": "https://gateway.example"}), "health")
    console = Console(Settings(console_gateway="http://gateway.example"), lambda: datetime.now(UTC))
    with pytest.raises(PlaintextRefused, match="YESSER_CONSOLE_GATEWAY"):
        await console.run(asyncio.Event())


def test_agencies_are_given_the_tls_listener_of_the_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka="127.0.0.1:1", kafka_agencies="kafka.example:9094", tls_ca=Path("/ca.pem"))
    assert agency_listener(settings) == AgencyListener("kafka.example:9094", "SASL_SSL", Path("/ca.pem"))
    own = agency_listener(Settings(home=tmp_path, kafka="127.0.0.1:1"))
    assert (own.bootstrap_servers, own.security_protocol, own.ca) == ("127.0.0.1:1", "SASL_PLAINTEXT", None)


OTHER_HOST: Final = "other.example"
REFUSALS: Final[dict[PlainConnection, Callable[[Settings], object]]] = {
    "kafka": refuse_plain_kafka,
    "postgres": lambda settings: postgres_context(settings, f"postgresql://{OTHER_HOST}/x", {}),
    "gateway": lambda settings: refuse_plain_http(settings, "gateway", "YESSER_X", f"http://{OTHER_HOST}"),
    "console": lambda settings: refuse_plaintext(settings, "console", "The console", [OTHER_HOST], "use TLS"),
    "smtp": smtp_server,
    "issuer": JwtIssuer.of,
    "traces": lambda settings: refuse_plain_http(settings, "traces", "YESSER_X", f"http://{OTHER_HOST}"),
}


@every("allowed", get_args(PlainConnection))
def test_a_permission_is_for_the_connections_that_it_names(allowed: PlainConnection, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        kafka=f"{OTHER_HOST}:9092",
        mail_server=f"{OTHER_HOST}:25",
        mail_from="yesser@yesser.example",
        mail_tls="none",
        gateway_jwt_issuer="https://idp.example",
        gateway_jwks_address=f"http://{OTHER_HOST}/keys",
        dangerously_allow_plaintext=allowed,
    )
    for name, refuse in REFUSALS.items():
        if name == allowed:
            refuse(settings)
        else:
            with pytest.raises(PlaintextRefused, match=f"name {name} in YESSER_DANGEROUSLY_ALLOW_PLAINTEXT"):
                refuse(settings)


def test_the_form_of_earlier_releases_is_refused_with_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def allowed(value: str) -> list[PlainConnection]:
        monkeypatch.setenv("YESSER_DANGEROUSLY_ALLOW_PLAINTEXT", value)
        return list(filter(Settings().allows_plaintext, get_args(PlainConnection)))

    for value in ("true", "1", "kafka,postgre", "all"):
        with pytest.raises(ValidationError, match="kafka,postgres,gateway,console,smtp,issuer,traces"):
            allowed(value)
    assert allowed("false") == []
    assert allowed(" kafka , console") == ["kafka", "console"]
