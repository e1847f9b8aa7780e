"""Metrics by name, and trace spans from publishing through registration to projection.

Call `setup` once when a process starts; metrics need no set-up. Without `otlp_endpoint` spans do nothing. Labels and
span attributes are never a subject, an id, a key or a payload: the allowed ones are listed here, and any other raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypedDict, Unpack, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from infra.observability.logs import configure_logs
from infra.settings import Settings
from infra.tls.plaintext import refuse_plain_http

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, SpanContext, Tracer

CounterName: TypeAlias = Literal[
    "events_registered",
    "events_refused",
    "events_duplicate",
    "events_conflicting",
    "entries_applied",
    "gaps_filled",
    "fenced_writers",
    "checkpoints_signed",
    "outbox_sent",
    "campaign_entries_sent",
    "retries",
    "gateway_events_stored",
    "gateway_problems",
    "gateway_token_lookups",
    "gateway_tokens_changed",
    "mails",
    "webhook_attempts",
    "rows_expired",
]
GaugeName: TypeAlias = Literal[
    "ready",
    "lag_entries",
    "log_size",
    "shipped_up_to",
    "checkpoint_size",
    "cosigned_size",
    "outbox_waiting",
    "decisions_held",
    "topics_halted",
    "topics_paused",
    "topics_unwritten",
    "break_glass",
    "table_bytes",
    "gateway_connections",
    "webhooks_in_flight",
    "backup_checked_timestamp_seconds",
    "disk_free_ratio",
    "wal_bytes",
    "wal_waiting_bytes",
    "transaction_id_age",
    "certificate_expires_timestamp_seconds",
    "service_reachable",
]
HistogramName: TypeAlias = Literal["batch_records", "batch_seconds"]
MetricName: TypeAlias = Literal[CounterName, GaugeName, HistogramName]


class Labels(TypedDict, total=False):
    """All labels. `METRICS` lists those of each metric; an omitted label is empty."""

    consumer: str
    agency: str
    code: str
    process: str
    topic: str
    table: str
    folder: str
    file: str
    service: str


METRICS: Final[dict[MetricName, tuple[str, tuple[str, ...]]]] = {
    "events_registered": ("Accepted events.", ("agency",)),
    "events_refused": ("Refusals, conflicts included, by the first code of each.", ("agency", "code")),
    "events_duplicate": ("Records dropped as duplicates.", ("agency",)),
    "events_conflicting": ("Records refused because their id belongs to another event.", ("agency",)),
    "entries_applied": ("Entries applied to read models.", ("consumer",)),
    "gaps_filled": ("Gaps in the log's topic filled from PostgreSQL.", ("consumer",)),
    "fenced_writers": ("Transactions aborted because another owner had taken over.", ("process",)),
    "checkpoints_signed": ("Signed checkpoints.", ()),
    "campaign_entries_sent": ("Entries about campaigns sent to the topics of their agencies.", ()),
    "outbox_sent": ("Events sent from the outbox (of the platform or of an agency).", ()),
    "retries": ("Retries after a transient error.", ("process",)),
    "gateway_events_stored": ("Events acknowledged with a receipt by the gateway.", ("agency",)),
    "gateway_problems": ("Requests answered with a problem by the gateway, by code.", ("code",)),
    "gateway_token_lookups": ("Tokens that the gateway looked up in the database.", ()),
    "gateway_tokens_changed": ("Look-ups of tokens whose row in the database was changed.", ()),
    "mails": ("Attempts to send an e-mail, by what became of them.", ("code",)),
    "gateway_connections": ("Open connections of the gateway.", ()),
    "webhook_attempts": ("Attempts to deliver a webhook, by status or class of error.", ("code",)),
    "webhooks_in_flight": ("Requests of webhooks under way.", ()),
    "backup_checked_timestamp_seconds": ("When the newest backup that is as it was written was checked; 0: none.", ()),
    "ready": ("1 while the process is ready, as /readyz says; else 0.", ()),
    "lag_entries": ("Entries of the log not yet applied.", ("consumer",)),
    "log_size": ("Entries in the log.", ()),
    "shipped_up_to": ("Entries acknowledged by the log's topic.", ()),
    "checkpoint_size": ("Size of the newest signed checkpoint.", ()),
    "cosigned_size": ("Size of the newest checkpoint that enough witnesses cosigned.", ()),
    "outbox_waiting": ("Events waiting in the outbox.", ()),
    "decisions_held": ("Decisions on recovered entries that wait for a person.", ()),
    "topics_halted": ("Agency topics that are halted: records that were read are lost or changed.", ()),
    "topics_paused": ("Agency topics that are paused: they held too many refused or repeated records.", ()),
    "topics_unwritten": ("1 while the relay cannot write to the topic; the other topics are written.", ("topic",)),
    "break_glass": ("Acts of the last 7 days that need two people and that one person did.", ()),
    "rows_expired": ("Rows deleted since their retention is over.", ("table",)),
    "table_bytes": ("Size of a table with a retention, with its indexes, in bytes.", ("table",)),
    "disk_free_ratio": ("Free share of the disk of a data folder.", ("folder",)),
    "wal_bytes": ("Size of PostgreSQL's WAL on this machine, in bytes.", ()),
    "wal_waiting_bytes": ("WAL that a replica, or the archive of backups, has not received, in bytes.", ()),
    "transaction_id_age": ("Age of the oldest transaction id; at 2 billion PostgreSQL stops writing.", ()),
    "certificate_expires_timestamp_seconds": ("When a certificate expires.", ("file",)),
    "service_reachable": (
        "1 while this process reaches PostgreSQL, each of its servers, Kafka, or each broker of `yesser up`; else 0.",
        ("service",),
    ),
    "batch_records": ("Records or entries in one transaction.", ("process",)),
    "batch_seconds": ("Duration of one transaction, in seconds.", ("process",)),
}
"""Every metric: its help text and labels. Exposed as `yesser_<name>` (counters as `yesser_<name>_total`).

A process exposes only the metrics that it has set itself: another process's gauge would be 0 here.
"""


def series(name: MetricName) -> str:
    """The name of a metric's series; those of a histogram have an ending after it."""
    return f"yesser_{name}_total" if name in get_args(CounterName) else f"yesser_{name}"


SPAN_ATTRIBUTES: Final = frozenset({"first_index", "entries", "records", "consumer", "agency", "process", "topic"})
LINKS_MAX: Final = 128
"""Maximum number of links of a batch's span."""

TRACEPARENT: Final = "traceparent"
Headers: TypeAlias = Sequence[tuple[str, bytes | None]]

REGISTRY: Final = CollectorRegistry()

# Disables an unused second series per counter.
disable_created_metrics()  # type: ignore[no-untyped-call]

_BUCKETS: Final[Mapping[MetricName, tuple[float, ...]]] = {
    "batch_records": (1, 4, 16, 64, 256, 1024, 4096, 16384),
    "batch_seconds": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
}

_COLLECTORS: Final[dict[MetricName, Counter | Gauge | Histogram]] = {}

_tracer: Tracer | None = None


def setup(settings: Settings, process: str) -> None:
    """Set up logs, and traces if an OTLP address is set. Call once, first, with the process's name.

    Raises `PlaintextRefused`.
    """
    configure_logs(settings.log_level, process)
    if settings.otlp_endpoint:
        refuse_plain_http(settings, "traces", "YESSER_OTLP_ENDPOINT", settings.otlp_endpoint)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        address = settings.otlp_endpoint.rstrip("/").removesuffix("/v1/traces") + "/v1/traces"
        authorities = None if settings.tls_ca is None else str(settings.tls_ca)
        exporter = OTLPSpanExporter(endpoint=address, certificate_file=authorities)
        start_tracing(process, BatchSpanProcessor(exporter))


def count(name: CounterName, amount: float = 1, **labels: Unpack[Labels]) -> None:
    _series(name, *labels.items()).inc(amount)


def gauge(name: GaugeName, value: float, **labels: Unpack[Labels]) -> None:
    _series(name, *labels.items()).set(value)


def forget_gauges(process: str) -> None:
    """Remove the gauges of `process`, which stands by, until they are set again: another one has the current values.

    Several consumers may share an operating system's process; of a gauge by consumer only its own series is removed.
    """
    for name in _COLLECTORS.keys() & set(get_args(GaugeName)):
        if METRICS[name][1] == ("consumer",):
            with suppress(KeyError):
                _COLLECTORS[name].remove(process)
        else:
            REGISTRY.unregister(_COLLECTORS.pop(name))
    _series.cache_clear()


def observe(name: HistogramName, value: float, **labels: Unpack[Labels]) -> None:
    _series(name, *labels.items()).observe(value)


def exposition() -> bytes:
    """All metrics in Prometheus's text format."""
    return generate_latest(REGISTRY)


def start_tracing(process: str, processor: SpanProcessor) -> None:
    """Send spans of this process to `processor`."""
    global _tracer
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": f"yesser-{process}"}))
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("yesser")


@contextmanager
def span(name: str, traceparents: Iterable[str] = (), **attributes: int | str) -> Iterator[None]:
    """A span around a batch. It continues the traces of its events: a single one as parent, several as links.

    `traceparents` are W3C values (see `carried_traces`); malformed ones are ignored.
    """
    if _tracer is None:
        yield
        return
    foreign = attributes.keys() - SPAN_ATTRIBUTES
    if foreign:
        raise ValueError(f"span {name}: attributes {sorted(foreign)} are not allowed; see SPAN_ATTRIBUTES")
    with _start(_tracer, name, traceparents, attributes):
        yield


def trace_header() -> list[tuple[str, bytes]]:
    """The current span's `traceparent` as a Kafka header; empty without tracing.

    It is not part of the event, whose bytes are the sender's.
    """
    if _tracer is None:
        return []
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return [(TRACEPARENT, carrier[TRACEPARENT].encode())] if carrier else []


def carried_traces(records: Iterable[tuple[Headers, Mapping[str, Any] | None]]) -> list[str]:
    """The `traceparent` of each record, from the Kafka header, else from the event. Empty without tracing."""
    if _tracer is None:
        return []
    found: dict[str, None] = {}
    for headers, event in records:
        carried = next((value for name, value in headers if name == TRACEPARENT and value), None)
        own = event.get(TRACEPARENT) if event else None
        if carried is not None:
            found[carried.decode("ascii", "replace")] = None
        elif isinstance(own, str):
            found[own] = None
        if len(found) == LINKS_MAX:
            break
    return list(found)


@contextmanager
def _start(tracer: Tracer, name: str, traceparents: Iterable[str], attributes: dict[str, int | str]) -> Iterator[Span]:
    from opentelemetry.trace import Link, NonRecordingSpan, set_span_in_context

    contexts = [c for c in map(_context, dict.fromkeys(islice(traceparents, LINKS_MAX))) if c]
    parent = set_span_in_context(NonRecordingSpan(contexts[0])) if len(contexts) == 1 else None
    links = [Link(c) for c in contexts] if parent is None else []
    # An exception is not recorded in the span: its message could hold a value.
    with tracer.start_as_current_span(
        name, context=parent, links=links, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as started:
        yield started


def _context(traceparent: str) -> SpanContext | None:
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = get_current_span(TraceContextTextMapPropagator().extract({TRACEPARENT: traceparent})).get_span_context()
    return context if context.is_valid else None


def _collector(name: MetricName) -> Counter | Gauge | Histogram:
    """The collector of a metric, created and exposed at its first use."""
    made = _COLLECTORS.get(name)
    if made is None:
        named = (f"yesser_{name}", *METRICS[name])
        if name in _BUCKETS:
            made = Histogram(*named, buckets=_BUCKETS[name], registry=REGISTRY)
        else:
            made = (Counter if name in get_args(CounterName) else Gauge)(*named, registry=REGISTRY)
        _COLLECTORS[name] = made
    return made


@cache
def _series(name: MetricName, *labels: tuple[str, object]) -> Any:
    metric, expected, given = _collector(name), METRICS[name][1], dict(labels)
    foreign = given.keys() - set(expected)
    if foreign:
        raise ValueError(f"metric {name} has no label {sorted(foreign)}; it has {list(expected)}")
    return metric.labels(*(str(given.get(label, "")) for label in expected)) if expected else metric
