"""A stack with TLS: the gateway, Kafka's ports for agencies, and PostgreSQL behind TLS; what each refuses.

One stack for all tests. The embedded PostgreSQL is built without TLS, so a proxy in front of it ends it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import uvloop
from aiokafka.errors import KafkaError
from cryptography import x509

from consumers.console.accounts import accounts
from consumers.console.accounts.accounts import Account
from consumers.console.accounts.passwords import hash_password
from infra.embedded.servers.ports import choose
from infra.embedded.stack import running_stack
from infra.http.console_tokens import Sending, console_token
from infra.kafka.admin import admin_client
from infra.kafka.client_config import agency_listener
from infra.keys.seals import Seals
from infra.postgres.connection import connected
from infra.principals import SUPERUSER
from infra.secret_files import CONSOLE_KEY
from infra.settings import Settings
from infra.stack_record import StackRecord
from infra.tls.certificate_files import CertificateUnusable, TlsFiles
from infra.tls.client import NotTrusted, client_context
from infra.tls.plaintext import PlaintextRefused
from producers.agencies.lifecycle import rotate
from producers.agencies.register import provision
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.errors import NotAccepted
from producers.gateway.process import Gateway
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.sdk.client import AgencyClient
from producers.sdk.problems import GatewayProblem
from tests.integration.infra.tls.tls_postgres import tls_postgres
from tests.stack import folder_in_memory
from tests.unit.infra.tls.certificates import NOW, pair, private_authority, server_context
from tests.world.consoles import FORM, PASSWORD, TYPED, hidden, run_console, write_accounts_key, write_console_key
from tests.world.events import encoded, initiative
from tests.world.senders import REGISTER, now, serving, start_producer
from tests.world.waits import until

pytestmark = pytest.mark.stack

EVENT: Final = encoded(initiative(id="tls-1"))
AGENCIES: Final = ("health", "labour")


@dataclass(frozen=True)
class Stack:
    """A stack with TLS, agency `health` with its token and certificate, and another authority."""

    settings: Settings
    record: StackRecord
    token: str
    password: str
    files: Path

    @property
    def ca(self) -> Path:
        return self.settings.home / "tls" / "ca.pem"

    @property
    def certificate(self) -> Path:
        return self.settings.home / "tls" / "gateway.pem"

    @property
    def gateway(self) -> str:
        return f"https://127.0.0.1:{self._port('gateway')}"

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self._port('console')}"

    def _port(self, name: str) -> int:
        port = self.record.port_of(name)
        assert port is not None
        return port

    def of_agency(self, tmp_path: Path, port: str, **changes: Any) -> Settings:
        """The settings of the agency's own machine: nothing of the platform's home."""
        kafka = f"127.0.0.1:{getattr(self.record.kafka, port)}"
        return Settings(home=tmp_path / "agency", kafka=kafka, tls_ca=self.ca, **changes)


@pytest.fixture(scope="module")
def tls() -> Iterator[Stack]:
    with (
        folder_in_memory() as folder,
        running_stack(folder / "home", only=("kafka", "postgres", "gateway", "console"), tls=True) as own_settings,
    ):
        settings = own_settings.acting_as(SUPERUSER)
        record = settings.stack()
        write_accounts_key(settings)  # the one of the tests, as for the console that a test starts here
        token, password = uvloop.run(_prepared(settings))
        own, other = private_authority(settings.home / "tls"), private_authority(folder / "other")
        own.client("agency-health", folder / "health.pem")
        other.client("agency-health", folder / "foreign.pem")
        yield Stack(settings, record, token, password, folder)


async def _prepared(settings: Settings) -> tuple[str, str]:
    """The token and the Kafka password of agency `health`, which has the account `tls-desk` too."""
    await provision(settings, AGENCIES)
    async with connected(settings, "test") as connection:
        for code in AGENCIES:
            await connection.execute(REGISTER, code, "agency")
        account = Account("tls-desk", "agency", "health", language="en")
        await accounts.add_account(connection, Seals.of(settings), account, hash_password(PASSWORD))
        made = await create_token(connection, hash_key(settings), TokenRequest("agency", "health", 1))
        return made.token, await rotate(connection, settings, "health")


async def test_a_client_that_does_not_know_the_authority_sends_no_token(tls: Stack) -> None:
    async with AgencyClient(tls.gateway, tls.token, tls=TlsFiles(tls.ca)) as client:
        receipt = await client.send(EVENT)
    assert receipt.address.startswith("agency.health.events/0/")
    for files in (TlsFiles(), TlsFiles(tls.files / "other" / "ca.pem")):
        async with AgencyClient(tls.gateway, tls.token, tls=files) as client:
            with pytest.raises(NotTrusted, match="YESSER_TLS_CA"):
                await client.send(EVENT)
    plain = tls.gateway.replace("https", "http").replace("127.0.0.1", "gateway.example")
    with pytest.raises(PlaintextRefused):
        AgencyClient(plain, tls.token)


async def test_many_requests_pass_on_one_connection_whatever_others_send_and_also_over_a_renewed_certificate(
    tls: Stack,
) -> None:
    port = int(tls.gateway.rpartition(":")[2])
    context = client_context(TlsFiles(tls.ca))

    async def shown() -> int:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context(TlsFiles(tls.ca)))
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return x509.load_der_x509_certificate(der).serial_number

    async with httpx.AsyncClient(base_url=tls.gateway, verify=context, trust_env=False) as kept:
        large = await kept.get("/openapi.json")
        assert len(large.content) > 20_000
        assert large.json()["openapi"]
        assert len({(await kept.get("/v1/key")).text for _ in range(20)}) == 1
        (connection,) = kept._transport._pool.connections  # type: ignore[attr-defined]

        for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\x00" * 500):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            writer.write_eof()
            assert b"HTTP" not in await asyncio.wait_for(reader.read(), 5), "it is no handshake"
            writer.close()

        tls.certificate.unlink()
        renewed = private_authority(tls.settings.home / "tls").server("gateway")
        serial = x509.load_pem_x509_certificate(renewed.read_bytes()).serial_number

        async def is_shown() -> bool:
            return await shown() == serial

        await until(is_shown, "the renewed certificate is served")
        assert (await kept.get("/v1/key")).status_code == 200
        assert kept._transport._pool.connections == [connection]  # type: ignore[attr-defined]


@asynccontextmanager
async def _another(tls: Stack, **changes: Any) -> AsyncIterator[str]:
    """Another gateway on the same services; yields its address."""
    update = {"gateway_port": 0, "gateway_certificate": tls.certificate, **changes}
    async with serving(tls.settings.model_copy(update=update)) as gateway:
        yield f"https://127.0.0.1:{gateway.port}"


async def test_clients_that_stop_in_the_handshake_are_counted_and_ended(tls: Stack) -> None:
    limits = {"gateway_connections_per_peer_max": 3, "gateway_head_timeout_s": 0.5}
    async with _another(tls, **limits) as address:
        port = int(address.rpartition(":")[2])
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 0.4) == b"", "the fourth is closed at once"
        writer.close()
        for reader, writer in idle:
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        async with AgencyClient(address, tls.token, tls=TlsFiles(tls.ca)) as client:
            await client.send(EVENT)


async def test_with_mutual_tls_a_token_counts_only_with_its_holders_certificate(tls: Stack) -> None:
    authority = private_authority(tls.settings.home / "tls")
    authority.client("agency-labour", tls.files / "labour.pem")
    write_console_key(tls.settings)
    certificate = tls.settings.home / "tls" / "console.pem"
    own, consoles = (TlsFiles(tls.ca, pair(path)) for path in (tls.files / "health.pem", certificate))
    console_key, audience = tls.settings.secret(*CONSOLE_KEY) or "", tls.settings.gateway_jwt_audience
    signed = console_token(console_key, Sending("health", "agency", "health"), audience, now())
    given = {"tls_ca": tls.ca, "tls_certificate": certificate}
    async with (
        _another(tls, gateway_client_ca=tls.ca) as address,
        connected(tls.settings, "test") as connection,
        run_console(tls.settings, connection, console_gateway=address, **given) as console,
        console.browser("health") as browser,
    ):
        async with AgencyClient(address, tls.token, tls=own) as client:
            await client.send(EVENT)
        assert "The event has arrived" in await _published(browser)
        for token, files in (
            (tls.token, TlsFiles(tls.ca)),
            (tls.token, TlsFiles(tls.ca, pair(tls.files / "labour.pem"))),
            (tls.token, consoles),
            (signed, TlsFiles(tls.ca)),
            (signed, own),  # the console's key is not enough
        ):
            async with AgencyClient(address, token, tls=files) as client:
                with pytest.raises(GatewayProblem) as caught:
                    await client.send(EVENT)
                assert caught.value.problem.code == "wrong-certificate"
        context = client_context(TlsFiles(tls.ca))
        async with httpx.AsyncClient(base_url=address, verify=context, trust_env=False) as reader:
            assert (await reader.get("/docs")).status_code == 200, "public pages need no certificate"


async def test_the_console_of_a_stack_with_tls_publishes_through_its_gateway(tls: Stack) -> None:
    async with httpx.AsyncClient(base_url=tls.console, timeout=60, cookies={"yesser-language": "en"}) as browser:
        answer = await browser.post("/sign-in", data={"username": "tls-desk", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        assert "The event has arrived" in await _published(browser)


async def _published(browser: httpx.AsyncClient) -> str:
    """The page after an event was sent by the form."""
    csrf = hidden((await browser.get(FORM)).text, "csrf")
    event = hidden((await browser.post(FORM, data={**TYPED, "csrf": csrf})).text, "event")
    answer = await browser.post("/workspace/send", data={"csrf": csrf, "event": event}, follow_redirects=True)
    return answer.text


async def test_an_agency_publishes_over_tls_with_its_own_password_or_certificate(tls: Stack, tmp_path: Path) -> None:
    listener = agency_listener(tls.settings)
    assert listener.bootstrap_servers == f"127.0.0.1:{getattr(tls.record.kafka, 'tls_port', None)}"
    assert (listener.security_protocol, listener.ca) == ("SASL_SSL", tls.ca)
    by_password = tls.of_agency(
        tmp_path, "tls_port", kafka_security="SASL_SSL", kafka_user="agency-health", kafka_password=tls.password
    )

    def by_certificate(path: Path | None) -> Settings:
        return tls.of_agency(tmp_path, "mutual_tls_port", kafka_security="SSL", tls_certificate=path)

    for settings in (by_password, by_certificate(tls.files / "health.pem")):
        async with AgencyPublisher(settings, "health") as publisher:
            (address,) = await publisher.publish([EVENT])
        assert address.topic == "agency.health.events"
        with pytest.raises(NotAccepted, match="TopicAuthorizationFailedError"):
            async with AgencyPublisher(settings, "labour") as publisher:
                await publisher.publish([EVENT])
    for other in (None, tls.files / "foreign.pem", tls.settings.home / "tls" / "kafka.pem"):
        with pytest.raises(KafkaError, match="bootstrap"):
            await start_producer(by_certificate(other))
    foreign = by_password.model_copy(update={"tls_ca": tls.files / "other" / "ca.pem"})
    with pytest.raises(NotTrusted, match="YESSER_TLS_CA"):
        async with AgencyPublisher(foreign, "health"):
            pass
    with pytest.raises(NotTrusted, match=r"127\.0\.0\.1"):
        async with admin_client(foreign):
            pass


async def test_postgres_is_reached_over_verified_tls_alone(tls: Stack) -> None:
    assert tls.record.postgres is not None
    port = tls.record.postgres.port
    others = private_authority(tls.files / "other", NOW).server("postgres")

    def at(number: int, ca: Path, *further: int) -> Settings:
        servers = ",".join([f"localhost:{number}", *(f"127.0.0.1:{other}" for other in further)])
        address = f"postgresql://{servers}/yesser?sslmode=verify-full&sslrootcert={ca}"
        return tls.settings.model_copy(update={"postgres": address})

    async with tls_postgres(port, server_context(tls.certificate)) as secured:
        async with connected(at(secured, tls.ca), "test") as connection:
            assert await connection.fetchval("SELECT count(*) FROM platform.agency") >= len(AGENCIES)
        with pytest.raises(NotTrusted, match="localhost is not from a trusted authority"):
            async with connected(at(secured, tls.files / "other" / "ca.pem"), "test"):
                pass
        (nobody,) = choose([None])
        async with connected(at(nobody, tls.ca, secured), "test") as connection:
            assert await connection.fetchval("SELECT 1") == 1, "the second server is verified by its own name"
    async with tls_postgres(port, server_context(others)) as foreign:
        for settings in (at(foreign, tls.ca), at(nobody, tls.ca, foreign)):
            with pytest.raises(NotTrusted):
                async with connected(settings, "test"):
                    pass
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        async with connected(at(port, tls.ca), "test"):
            pass


def test_the_gateway_does_not_start_with_a_certificate_that_it_must_not_use(tls: Stack, tmp_path: Path) -> None:
    shared = tmp_path / "shared.pem"
    shared.write_bytes(tls.certificate.read_bytes())
    shared.chmod(0o644)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"gateway_certificate": shared}, "chmod 600"),
        ({"gateway_host": "0.0.0.0"}, "YESSER_GATEWAY_CERTIFICATE"),
        ({"gateway_client_ca": tls.ca}, "needs a TLS gateway"),
        ({"kafka": "kafka.example:9092"}, "YESSER_KAFKA_SECURITY"),
    ]
    for changes, message in cases:
        gateway = Gateway(tls.settings.model_copy(update={"gateway_port": 0, **changes}), now)
        with pytest.raises((PlaintextRefused, CertificateUnusable), match=message):
            asyncio.run(gateway.run(asyncio.Event()))
