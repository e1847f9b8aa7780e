"""What a process counts and traces: metrics by name, spans from publish over registration to projection.

`setup` is called once at a process' start. Counting needs no set-up. Without `otlp_endpoint` a span is nothing at
all. Neither a metric's label nor a span's attribute may be a subject, an id, a key or a payload: what is allowed is
listed here, and anything else is a programming error that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    "retries",
    "gateway_events_stored",
    "gateway_problems",
]
GaugeName: TypeAlias = Literal[
    "lag_entries",
    "log_size",
    "shipped_up_to",
    "checkpoint_size",
    "outbox_waiting",
    "topics_halted",
    "topics_paused",
]
HistogramName: TypeAlias = Literal["batch_records", "batch_seconds"]
MetricName: TypeAlias = Literal[CounterName, GaugeName, HistogramName]


class Labels(TypedDict, total=False):
    """The labels that exist. Each metric takes some of them, as `METRICS` says; one that is left out is empty."""

    consumer: str
    agency: str
    code: str
    process: str


METRICS: Final[dict[MetricName, tuple[str, tuple[str, ...]]]] = {
    "events_registered": ("Accepted events.", ("agency",)),
    "events_refused": ("Refusals, conflicts included, by the first code of each.", ("agency", "code")),
    "events_duplicate": ("Records dropped as the same event again.", ("agency",)),
    "events_conflicting": ("Records refused since their id was used with other contents.", ("agency",)),
    "entries_applied": ("Entries applied to read models.", ("consumer",)),
    "gaps_filled": ("Gaps in the log's topic that were filled from PostgreSQL.", ("consumer",)),
    "fenced_writers": ("Transactions given up since another owner had taken over.", ("process",)),
    "checkpoints_signed": ("Signed checkpoints.", ()),
    "outbox_sent": ("Events sent from the outbox (the platform's, or an agency's).", ()),
    "retries": ("Tries repeated after a transient error.", ("process",)),
    "gateway_events_stored": ("Events that the gateway gave receipts for.", ("agency",)),
    "gateway_problems": ("Requests that the gateway answered with a problem, by its code.", ("code",)),
    "lag_entries": ("Entries of the log that are not applied yet.", ("consumer",)),
    "log_size": ("Entries in the log.", ()),
    "shipped_up_to": ("Entries that the log's topic has acknowledged.", ()),
    "checkpoint_size": ("Size of the newest signed checkpoint.", ()),
    "outbox_waiting": ("Events that wait in the outbox.", ()),
    "topics_halted": ("Agency topics that are no longer read, since what was read is gone.", ()),
    "topics_paused": ("Agency topics that are read slowly, since they held nothing but refused records.", ()),
    "batch_records": ("Records or entries in one transaction.", ("process",)),
    "batch_seconds": ("Duration of one transaction, in seconds.", ("process",)),
}
"""Every metric: what it means and its labels. Exposed as `yesser_<name>` (counters as `yesser_<name>_total`).

A process exposes those that it has counted itself: a gauge that another process keeps would stand at 0 here.
"""

SPAN_ATTRIBUTES: Final = frozenset({"first_index", "entries", "records", "consumer", "agency", "process", "topic"})
LINKS_MAX: Final = 128
"""Most events of a batch that its span is linked to."""

TRACEPARENT: Final = "traceparent"
Headers: TypeAlias = Sequence[tuple[str, bytes | None]]

REGISTRY: Final = CollectorRegistry()

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
# A second series for each counter, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

_BUCKETS: Final[Mapping[MetricName, tuple[float, ...]]] = {
    "batch_records": (1, 4, 16, 64, 256, 1024, 4096, 16384),
    "batch_seconds": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
}

_COLLECTORS: Final[dict[MetricName, Counter | Gauge | Histogram]] = {}

_tracer: Tracer | None = None


def setup(settings: Settings, process: str) -> None:
    """Logs, and traces where an OTLP address is given. Call once, first, with the process' name."""
    configure_logs(settings.log_level, process)
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        address = settings.otlp_endpoint.rstrip("/").removesuffix("/v1/traces") + "/v1/traces"
        start_tracing(process, BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))


def count(name: CounterName, amount: float = 1, **labels: Unpack[Labels]) -> None:
    """Add to a counter."""
    _series(name, *labels.items()).inc(amount)


def gauge(name: GaugeName, value: float, **labels: Unpack[Labels]) -> None:
    """Set a gauge."""
    _series(name, *labels.items()).set(value)


def forget_gauges() -> None:
    """Expose no gauge until it is set again: this process stands by now, and what it knew is another one's to say."""
    for name in _COLLECTORS.keys() & set(get_args(GaugeName)):
        REGISTRY.unregister(_COLLECTORS.pop(name))
    _series.cache_clear()


def observe(name: HistogramName, value: float, **labels: Unpack[Labels]) -> None:
    """Add one observation to a histogram."""
    _series(name, *labels.items()).observe(value)


def exposition() -> bytes:
    """All metrics in Prometheus' text form."""
    return generate_latest(REGISTRY)


def start_tracing(process: str, processor: SpanProcessor) -> None:
    """Send spans of this process to `processor`."""
    global _tracer
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": f"yesser-{process}"}))
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("yesser")


def stop_tracing() -> None:
    """Make spans nothing again."""
    global _tracer
    _tracer = None


def tracing() -> bool:
    """Whether spans are sent: only then is it worth reading `traceparent` out of a batch."""
    return _tracer is not None


@contextmanager
def span(name: str, traceparents: Iterable[str] = (), **attributes: int | str) -> Iterator[None]:
    """A span around a batch. The traces of its events are continued: the only one as parent, several as links.

    `traceparents` are W3C values (see `carried_traces`); what is malformed is passed over.
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
    """The running span's `traceparent` as a Kafka header, for what is sent now; empty without tracing.

    It travels beside the record and not in the event, whose bytes are the sender's.
    """
    traceparent = current_traceparent()
    return [] if traceparent is None else [(TRACEPARENT, traceparent.encode())]


def carried_traces(records: Iterable[tuple[Headers, Mapping[str, Any] | None]]) -> list[str]:
    """The `traceparent`s of received records: of the Kafka header, else of the event. Empty without tracing."""
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


def current_traceparent() -> str | None:
    """The W3C `traceparent` of the running span; None without tracing."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


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
    from opentelemetry.trace import SpanContext, TraceFlags

    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace, parent, flags = (int(part, 16) for part in found.groups())
    context = SpanContext(trace, parent, is_remote=True, trace_flags=TraceFlags(flags))
    return context if context.is_valid else None


def _collector(name: MetricName) -> Counter | Gauge | Histogram:
    """The metric itself, made and exposed from its first use on."""
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
    """The counter, gauge or histogram of a metric for these labels."""
    metric, expected, given = _collector(name), METRICS[name][1], dict(labels)
    foreign = given.keys() - set(expected)
    if foreign:
        raise ValueError(f"metric {name} has no label {sorted(foreign)}; it has {list(expected)}")
    return metric.labels(*(str(given.get(label, "")) for label in expected)) if expected else metric
