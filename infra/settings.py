"""Every setting of every process: name, unit, default and purpose.

Settings are environment variables (`YESSER_…`). Without an address of a service, the embedded stack of `YESSER_HOME`
is used: its ports are in `stack.json`. Passwords are files, in a folder per principal: `secrets/registrar/postgres`.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Final, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, PrivateAttr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from infra.stack_record import StackRecord, read_record

STACK_FILE: Final = "stack.json"
SANDBOX_FILE: Final = "sandbox.json"
"""Marks a folder as a sandbox and holds its credentials. Only a marked folder is ever deleted."""

PlainConnection = Literal["kafka", "postgres", "gateway", "console", "smtp", "issuer", "traces"]
"""A kind of connection that may be plain off this machine, if it is named: docs/tls.md."""


class Settings(BaseSettings):
    """The settings of a process. Names of durations and sizes end in their unit."""

    model_config = SettingsConfigDict(env_prefix="YESSER_", extra="ignore")

    home: Path = Path("var")
    """Folder of the embedded stack, the log's key and checkpoints."""

    secrets: Path | None = None
    """Folder of the principals' passwords, a folder each; default: `secrets` in the home."""

    operator: str | None = Field(None, max_length=64)
    """Who runs the commands, for the trail: a desk or a role. Default: the system's user."""

    second_person: Literal["auto", "required", "off"] = "auto"
    """Whether two administrators must confirm what cannot be undone: auto, from the second administrator on; required;
    off, in a sandbox only."""

    kafka: str | None = None
    """host:port[,host:port] of Kafka; default: the embedded one."""

    kafka_user: str | None = None
    """SCRAM user on Kafka; default: the process's own, with the password in its folder."""

    kafka_password: str | None = Field(None, repr=False)
    """Password of `kafka_user`."""

    kafka_security: str = "SASL_PLAINTEXT"
    """SASL_PLAINTEXT, SASL_SSL, PLAINTEXT or SSL."""

    kafka_session_s: int = Field(3_600, ge=1)
    """The embedded Kafka closes a connection after this time, so that a replaced password is of no use."""

    kafka_replication_factor: int = Field(1, ge=1)
    """Copies of each topic (3 on a cluster); default: 1, and one on each broker of the embedded Kafka."""

    brokers: Literal["1", "3"] | None = None
    """Brokers of the embedded Kafka; default: as many as the home has (docs/high-availability.md)."""

    postgres: str | None = Field(None, repr=False)
    """postgresql:// address of the database, without a user: each process has its own role. A primary and its standbys
    are named with commas between them (docs/high-availability.md)."""

    postgres_connect_timeout_s: float = Field(10.0, gt=0)
    """Longest wait for a connection."""

    statement_timeout_ms: int = Field(30_000, gt=0)
    """Longest statement of a process (no limit for batch jobs)."""

    idle_in_transaction_timeout_ms: int = Field(3_000, gt=0)
    """The database ends the transaction of a stopped process after this and frees its locks."""

    # Backups (docs/backup.md)
    backup: Path | None = None
    """Folder of backups, on another disk than the database: `yesser up` makes them."""

    backup_every_h: float = Field(24.0, gt=0)
    """A backup is made this often."""

    backup_keep: int = Field(3, gt=0)
    """Full backups that are kept, each with what continues it."""

    log_topic: str = "yesser.log"
    """Topic of the national log."""

    checkpoints_topic: str = "yesser.checkpoints"
    """Topic of the log's signed checkpoints, for standbys."""

    texts_topic: str = "yesser.texts"
    """Topic of the free texts of the log's entries, for a recovery."""

    triggers_topic: str = "yesser.campaign-triggers"
    """Topic of campaign triggers."""

    campaign_rules: Path | None = None
    """Folder of campaign rules that are used instead of the release's, the same for all processes."""

    log_origin: str = "log.yesser.example/0"
    """Origin line (key name) of the log's checkpoints."""

    lease_ms: int = Field(4_000, gt=0, le=60_000)
    """A lease that is not renewed expires after this (database time), in a minute at most."""

    lease_renew_ms: int = Field(1_000, gt=0)
    """How often an owner renews its lease."""

    witness_policy: Path | None = None
    """File of the log's witnesses and how many must cosign (C2SP tlog-policy); the relay asks them."""

    checkpoint_interval_ms: int = Field(1_000, gt=0)
    """Least time between two signed checkpoints."""

    clock_difference_max_s: float = Field(300.0, gt=0)
    """The registrar halts where its clock and that of PostgreSQL or Kafka are further apart."""

    agencies_poll_ms: int = Field(2_000, gt=0)
    """Longest time until a new agency is noticed."""

    ship_margin_entries: int = Field(256, ge=0)
    """Entries shipped again at start and take-over."""

    batch_records_max: int = Field(4_096, gt=0)
    """Most records in one transaction."""

    poll_timeout_ms: int = Field(100, gt=0)
    """Longest wait for records in one poll."""

    pace_ms: int = Field(50, ge=0, le=1_000)
    """Pause after a small read of Kafka: what arrives meanwhile shares the next transaction."""

    fetch_bytes_max: int = Field(4 << 20, gt=0)
    """Most bytes fetched from a partition at once."""

    retry_wait_min_ms: int = Field(100, gt=0)
    """First wait after a transient error."""

    retry_wait_max_ms: int = Field(5_000, gt=0)
    """Longest wait between tries."""

    halted_retry_ms: int = Field(2_000, gt=0)
    """A halted process checks again after this whether it can go on."""

    look_again_ms: int = Field(1_000, gt=0)
    """The registrar checks a fault of a topic again after this before it halts the topic: the fault may be in
    transit."""

    breaker_refused_in_a_row_max: int = Field(500, gt=0)
    """This many refused records in a row pause an agency's topic."""

    breaker_conflicts_in_a_row_max: int = Field(5_000, gt=0)
    """This many conflicts in a row pause an agency's topic."""

    breaker_duplicates_in_a_row_max: int = Field(200_000, gt=0)
    """This many duplicates in a row pause an agency's topic."""

    breaker_refused_bytes_max: int = Field(16 << 20, gt=0)
    """This many bytes of refused records and conflicts in a row pause an agency's topic: they are kept."""

    breaker_percent_max: int = Field(50, gt=0, lt=100)
    """A topic with no greater share of them (percent, of records and of bytes) is never paused."""

    breaker_wait_s: float = Field(30.0, gt=0)
    """First pause of a topic; then it is read a record at a time."""

    breaker_wait_max_s: float = Field(120.0, gt=0)
    """Longest pause: each further refused record doubles it."""

    agency_retention_days: int = Field(35, gt=0)
    """An agency's topic keeps its records for this long. Longer than any outage."""

    refused_keep_days: int = Field(400, gt=0)
    """Refused records are kept for this long, by the log's time, for their agency to correct them and send them again:
    over a year, so that a year's figures can be completed. Those with personal data never are."""

    agency_producer_bytes_per_s: int = Field(32 << 20, gt=0)
    """Bytes a second that one agency may write to Kafka."""

    agency_consumer_bytes_per_s: int = Field(1 << 20, gt=0)
    """Bytes a second that one agency may read from Kafka."""

    agency_request_percent: float = Field(100.0, gt=0)
    """Time of Kafka's threads that one agency may use (percent of one thread)."""

    sequence_ranges_max: int = Field(1_000, gt=0)
    """Ranges of `sequence` numbers kept of an agency; beyond it, only the highest number."""

    health_host: str = "127.0.0.1"
    """Address on which /healthz, /readyz and /metrics answer."""

    health_port: int = Field(0, ge=0, le=65_535)
    """Port of /healthz, /readyz and /metrics (0: none)."""

    gateway_host: str = "127.0.0.1"
    """Address on which the gateway answers."""

    gateway_port: int = Field(8000, ge=0, le=65_535)
    """Port of the gateway (0: any free one)."""

    public_address: str | None = None
    """Address of the gateway that documents and e-mails link to, such as https://gateway.example."""

    gateway_name: str = "gateway.yesser.example"
    """Name of the gateway's signing key in receipts."""

    gateway_body_bytes_max: int = Field(4 << 20, gt=0)
    """Most bytes of a request, unpacked."""

    gateway_batch_events_max: int = Field(1_000, gt=0)
    """Most events in one request."""

    gateway_head_timeout_s: float = Field(10.0, gt=0)
    """Longest wait for the head of a request; then the connection is closed."""

    gateway_connections_per_peer_max: int = Field(200, gt=0)
    """Open connections of one peer address (of an IPv6 network /64)."""

    gateway_trusted_proxies: str = ""
    """Addresses and networks of reverse proxies, separated by commas: X-Forwarded-For of these is believed, and they
    may open more connections."""

    gateway_write_timeout_s: float = Field(30.0, gt=0)
    """A connection whose client does not read its answer for this long is closed."""

    gateway_body_timeout_s: float = Field(10.0, gt=0)
    """Longest wait for a request's body."""

    gateway_kafka_timeout_s: float = Field(10.0, gt=0)
    """Longest wait for Kafka's acknowledgement; after it the outcome is unknown."""

    gateway_stuck_s: float = Field(2.0, gt=0)
    """While a batch is unacknowledged for this long, new events are answered with 503."""

    gateway_waiting_bytes_max: int = Field(64 << 20, gt=0)
    """Most bytes of all requests at once; above it the gateway answers 503."""

    gateway_holder_bytes_max: int = Field(16 << 20, gt=0)
    """Most bytes of all requests of one agency at once; above it, 429."""

    gateway_holder_long_polls_max: int = Field(16, gt=0)
    """Long polls of one holder of tokens at once; above it, 429."""

    gateway_requests_per_s: float = Field(1_000.0, gt=0)
    """Requests a second of one token."""

    gateway_requests_burst: int = Field(2_000, gt=0)
    """Requests of one token at once."""

    gateway_failures_per_s: float = Field(20.0, gt=0)
    """Requests a second without a valid token, of one peer address."""

    gateway_public_requests_per_s: float = Field(50.0, gt=0)
    """Requests a second for public pages, of one peer address."""

    gateway_log_requests_per_s: float = Field(1_000.0, gt=0)
    """Requests a second for checkpoint and tiles, of one peer address."""

    gateway_token_cache_ms: int = Field(2_000, gt=0)
    """A token is looked up again after this, so that a revoked one is refused."""

    gateway_token_grace_s: float = Field(60.0, ge=0)
    """A known token stays valid for this long while PostgreSQL is not available."""

    gateway_read_timeout_ms: int = Field(5_000, gt=0)
    """Longest statement of a request that reads."""

    gateway_as_of_timeout_s: float = Field(60.0, gt=0)
    """Longest time to compute the plan as of an index."""

    gateway_long_poll_max_s: float = Field(30.0, ge=0)
    """Longest wait of a long poll."""

    gateway_jwt_issuer: str | None = None
    """Issuer of OAuth 2 access tokens; without it none are accepted."""

    gateway_jwt_audience: str = "yesser-gateway"
    """Audience that these tokens must have."""

    gateway_jwks_address: str | None = None
    """Address of the issuer's keys (JWKS)."""

    # The console (docs/console.md)
    console_host: str = "127.0.0.1"
    """Address on which the console answers."""

    console_port: int = Field(8_090, ge=0, le=65_535)
    """Port of the console (0: any free one)."""

    console_gateway: str | None = None
    """Address of the gateway that the console sends to; default: that of this stack."""

    console_trusted_proxies: str = ""
    """Addresses of reverse proxies, separated by commas, whose X-Forwarded-For is believed."""

    console_oidc_issuer: str | None = None
    """Issuer (OpenID Connect) by which accounts with a subject may sign in to the console."""

    console_oidc_client_id: str = "yesser-console"
    """The console's id there; its secret is the file `console/oidc-secret`."""

    console_oidc_acr_values: str = ""
    """The provider must say one of these of the sign-in (acr). Separated by spaces."""

    console_oidc_amr: str = ""
    """The provider must say each of these of the sign-in (amr). Separated by spaces."""

    console_oidc_max_age_s: int | None = Field(None, ge=0)
    """The provider must have authenticated the person within this time (auth_time)."""

    console_passwords: Literal["on", "off"] = "on"
    """off: nobody signs in to the console with a password, only at `console_oidc_issuer`, which must be set."""

    console_session_h: float = Field(12.0, gt=0)
    """A session of the console ends after this long."""

    console_idle_h: float = Field(2.0, gt=0)
    """It ends earlier after this long without a request."""

    console_requests_per_s: float = Field(100.0, gt=0)
    """Requests a second of one account of the console; above it, 429."""

    console_requests_burst: int = Field(500, gt=0)
    """Requests of one account after a pause, in a row."""

    console_requests_at_once_max: int = Field(6, gt=0)
    """Requests of one account that are answered at once; each may hold a connection to the database."""

    console_live_pages_max: int = Field(64, gt=0)
    """Open pages of one account that follow the log."""

    outbox_postgres: str | None = Field(None, repr=False)
    """postgresql:// address of an agency's own database with its outbox."""

    outbox_gateway: str | None = None
    """Address of the gateway that the outbox sends to; default: Kafka."""

    outbox_token: str | None = Field(None, repr=False)
    """The agency's token for this gateway."""

    outbox_keep_days: int = Field(7, ge=0)
    """The outbox keeps sent events for this long."""

    # E-mail to campaign teams (docs/campaigns.md)
    mail_server: str | None = None
    """host:port of the SMTP server for campaign teams; without it e-mails wait."""

    mail_tls: Literal["starttls", "tls", "none"] | None = None
    """starttls, tls (from the first byte) or none; default: starttls, and none to this machine."""

    mail_user: str | None = Field(None, max_length=256)
    """User on the SMTP server; its password is the file `delivery/smtp` in the folder of secrets."""

    mail_from: str | None = Field(None, max_length=254)
    """Sender's address of e-mails."""

    mail_reply_to: str | None = Field(None, max_length=254)
    """Address that answers to e-mails go to; default: the sender's."""

    mail_timeout_s: float = Field(30.0, gt=0)
    """Longest wait for an answer of the SMTP server."""

    console_address: str | None = Field(None, pattern=r"^https://[^\s\"'<>]+$")
    """Address of the console that e-mails link to, such as https://console.example."""

    # Webhooks of campaign teams (docs/webhooks.md)
    webhook_hosts: str = ""
    """Hosts, separated by commas, to which webhooks may go over plain HTTP, at any port, and inside the network. To all
    others they go over HTTPS, and only to addresses on the internet."""

    webhook_ports: str = Field("", pattern=r"^(\d+(,\d+)*)?$")
    """Ports of webhooks besides 443, separated by commas."""

    webhook_connect_timeout_s: float = Field(5.0, gt=0)
    """Longest wait for a webhook's connection."""

    webhook_timeout_s: float = Field(10.0, gt=0)
    """Longest wait for a webhook's answer."""

    webhook_in_flight_max: int = Field(1_000, gt=0)
    """Most webhook requests at once."""

    webhook_endpoint_in_flight_max: int = Field(4, gt=0)
    """Most webhook requests at once to one endpoint."""

    webhook_retry_delays_s: str = Field(
        "5,300,1800,7200,18000,36000,36000,86400,86400,86400,86400", pattern=r"^\d+(\.\d+)?(,\d+(\.\d+)?)*$"
    )
    """Waits before each further attempt to deliver a webhook, in seconds, separated by commas. After the last one the
    message fails."""

    webhook_lane_wait_s: float = Field(3_600.0, ge=0)
    """A webhook that cannot be delivered keeps later ones about the same service waiting for this long; then it is
    marked as late."""

    webhook_disable_after_days: float = Field(5.0, gt=0)
    """An endpoint that fails for this long without a success is disabled."""

    webhook_attempts_keep_days: int = Field(30, gt=0)
    """Attempts to deliver webhooks and e-mails are kept for this long."""

    messages_keep_days: int = Field(400, gt=0)
    """Webhooks and e-mails that have ended are kept in the list of messages, and can be delivered again, for this long:
    over a year, so that a team can compare with the year before."""

    webhook_backfill_per_s: int = Field(50, gt=0)
    """Messages a second that a subscription to past entries adds."""

    notice_window_s: float = Field(300.0, gt=0)
    """Refusals and anomalies of an agency are gathered for this long before its engineers get a notice; longer while
    they go on, up to six hours."""

    # TLS (docs/tls.md)
    tls_ca: Path | None = None
    """PEM file of the authorities that servers' certificates must come from; default: the system's."""

    tls_certificate: Path | None = None
    """PEM file of this client's certificate chain, where a server asks for one."""

    tls_key: Path | None = None
    """PEM file of its key; default: in the same file."""

    gateway_certificate: Path | None = None
    """PEM file of the gateway's certificate chain; without it the gateway answers plain HTTP."""

    gateway_key: Path | None = None
    """PEM file of its key; default: in the same file."""

    gateway_client_ca: Path | None = None
    """PEM file of the authorities of clients' certificates; with it each token needs one."""

    kafka_agencies: str | None = None
    """host:port of Kafka's TLS listener for agencies, for `yesser agencies`."""

    dangerously_allow_plaintext: str = ""
    """Connections that may leave this machine without encryption, separated by commas: kafka, postgres, gateway,
    console, smtp, issuer, traces. Tokens and data on them can be read."""

    security_contact: str | None = Field(None, pattern=r"^(https://|mailto:|tel:)[^\s]+$")
    """Where weaknesses are reported (mailto:, https: or tel:): gateway and console serve it in
    /.well-known/security.txt."""

    security_expires: AwareDatetime | None = None
    """When that file expires, such as 2027-06-30T00:00:00Z; after it, it is not served."""

    log_level: str = "info"
    """debug, info, warning or error."""

    otlp_endpoint: str | None = None
    """OTLP/HTTP address for traces; without it none are sent."""

    _principal: str = PrivateAttr(default="reader")

    @field_validator("gateway_trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for network in filter(None, map(str.strip, value.split(","))):
            ip_network(network)
        return value

    @field_validator("dangerously_allow_plaintext")
    @classmethod
    def _connections(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",") if name.strip() not in ("", "false")]
        known = get_args(PlainConnection)
        if unknown := [name for name in names if name not in known]:
            raise ValueError(
                f"write the names of the connections that may be plain ({','.join(known)}) instead of"
                f" {', '.join(unknown)}: docs/tls.md"
            )
        return ",".join(names)

    @model_validator(mode="after")
    def _contact_expires(self) -> Self:
        if (self.security_contact is None) != (self.security_expires is None):
            raise ValueError("YESSER_SECURITY_CONTACT and YESSER_SECURITY_EXPIRES: set both, or neither")
        return self

    def allows_plaintext(self, connection: PlainConnection) -> bool:
        """Whether this kind of connection may leave the machine without encryption."""
        return connection in self.dangerously_allow_plaintext.split(",")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment: the sources of files, which are not used, take as long as both."""
        return init_settings, env_settings

    def stack(self) -> StackRecord:
        """The record of the embedded stack of `home`; an empty one if none was ever started or the file is damaged."""
        return read_record(self.home / STACK_FILE)

    @property
    def topic_copies(self) -> int:
        """How many copies a new topic gets."""
        is_set = "kafka_replication_factor" in self.model_fields_set or self.kafka is not None
        return self.kafka_replication_factor if is_set else len(self.stack().kafka_ports()) or 1

    @property
    def is_sandbox(self) -> bool:
        """Whether this is a sandbox, which has services of its own."""
        return not self.kafka and not self.postgres and (self.home / SANDBOX_FILE).exists()

    @property
    def principal(self) -> str:
        """The principal that connections are made as: a database role, a Kafka user, and a folder of secrets."""
        return self._principal

    def acting_as(self, principal: str) -> Self:
        """The same settings for the work of another principal. What does the work names it, never the environment."""
        found = self.model_copy()
        found._principal = principal
        return found

    @property
    def secrets_folder(self) -> Path:
        """The folder with a folder of secrets for each principal."""
        return self.secrets or self.home / "secrets"

    def secret_path(self, name: str, principal: str | None = None) -> Path:
        return self.secrets_folder / (principal or self.principal) / name

    def secret(self, name: str, principal: str | None = None) -> str | None:
        """The secret `name` of a principal, by default that of these settings, or None."""
        try:
            return self.secret_path(name, principal).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def passwords(self, name: str, principal: str | None = None) -> list[str]:
        """The password `name`, and during its rotation also the one that replaces it: the server takes one of them."""
        found = (self.secret(file, principal) for file in (name, f"{name}.next"))
        return [text for text in found if text]

    @property
    def gateway_address(self) -> str:
        """What links to the gateway begin with: the public address, else that of this stack."""
        return (self.public_address or self._local("gateway", self.gateway_host, self.gateway_port)).rstrip("/")

    @property
    def console_link(self) -> str:
        """What links to the console begin with: the public address, else that of this stack."""
        return (self.console_address or self._local("console", self.console_host, self.console_port)).rstrip("/")

    @property
    def mailed_console(self) -> str | None:
        """The same for letters and calendars; None where the gateway has a public address and the console has none."""
        return None if self.public_address and not self.console_address else self.console_link

    def _local(self, process: str, host: str, port: int) -> str:
        stack = self.stack()
        scheme = "https" if process == "gateway" and (stack.tls or self.gateway_certificate is not None) else "http"
        return f"{scheme}://{host}:{stack.port_of(process) or port}"

    @property
    def log_folder(self) -> Path:
        """The folder of the log's private key and the last signed checkpoint, outside PostgreSQL."""
        return self.home / "log"


def places(servers: str, usual_port: int) -> Iterator[tuple[str, int]]:
    """Host and port of each server of a setting that names several, with commas between them."""
    for server in servers.split(","):
        place = urlsplit(f"//{server.strip()}")
        if place.hostname:
            yield place.hostname, place.port or usual_port
