"""Logs, metrics and traces of a process, and that none of them carries personal data or secrets."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import structlog
from aiokafka.errors import KafkaConnectionError
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.observability import telemetry
from infra.observability.logs import LogOnce, RepeatFilter, configure_logs
from infra.observability.telemetry import (
    METRICS,
    REGISTRY,
    MetricName,
    carried_traces,
    count,
    forget_gauges,
    gauge,
    observe,
    span,
    trace_header,
)

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER_PARENT = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"


class Lines:
    """What was written, line by line."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = Lines()
    configure_logs("info", "registrar", written.stream)
    yield written
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(telemetry, "_tracer", None)
    telemetry.start_tracing("registrar", SimpleSpanProcessor(exporter))
    return exporter


def test_a_line_is_json_with_its_process_level_and_time(lines: Lines) -> None:
    structlog.get_logger().debug("below the level")
    structlog.get_logger().info("batch registered", first_index=10, entries=5)
    (line,) = lines.read()
    assert line["event"] == "batch registered"
    assert (line["process"], line["level"], line["first_index"]) == ("registrar", "info", 10)
    assert line["timestamp"].endswith("Z")


def test_keys_payloads_headers_and_secrets_are_dropped_and_of_bytes_the_length_is_said(lines: Lines) -> None:
    structlog.get_logger().info(
        "x", key="k", payload="p", headers={"h": 1}, password="s", more={"token": "t", "n": b"12"}
    )
    (line,) = lines.read()
    assert line.keys() == {"event", "level", "timestamp", "process", "more"}
    assert line["more"] == {"n": "<2 bytes>"}


@pytest.mark.parametrize("number", ["1012345678", "2012345678", "١٠١٢٣٤٥٦٧٨", "۲۰۱۲۳۴۵۶۷۸"])
def test_a_number_that_could_be_a_national_id_is_masked(lines: Lines, number: str) -> None:
    structlog.get_logger().info(f"refused {number}", where=[f"id {number}"])
    written = lines.stream.getvalue()
    assert number not in written
    assert json.dumps(number) not in written
    assert lines.read()[0]["event"] == "refused <number>"


@pytest.mark.parametrize("text", ["i1012345678", "9012345678", "10123456789", "101234567"])
def test_other_numbers_stay(lines: Lines, text: str) -> None:
    structlog.get_logger().info(text)
    assert lines.read()[0]["event"] == text


def test_an_error_is_its_class_and_first_line_without_the_drivers_detail(lines: Lines) -> None:
    try:
        raise ValueError("duplicate key\nDETAIL: Key (id)=(abc) already exists")
    except ValueError:
        structlog.get_logger().exception("the batch failed")
    (line,) = lines.read()
    assert (line["error_class"], line["error"]) == ("ValueError", "duplicate key")
    assert line["trace"][0].endswith("test_an_error_is_its_class_and_first_line_without_the_drivers_detail")
    assert "abc" not in lines.stream.getvalue()


def test_a_librarys_lines_are_json_too_and_without_values(lines: Lines) -> None:
    logging.getLogger("aiokafka.conn").warning("cannot reach %s", "node 1")
    (line,) = lines.read()
    assert (line["event"], line["level"]) == ("cannot reach node 1", "warning")


def test_a_library_says_the_same_once_and_again_after_five_minutes() -> None:
    now = 0.0
    repeat = RepeatFilter(lambda: now)
    record = logging.LogRecord("aiokafka", logging.ERROR, "", 0, "no node %s", ("1",), None)
    again = logging.LogRecord("aiokafka", logging.ERROR, "", 0, "no node %s", ("2",), None)
    assert repeat.filter(record)
    now = 299.0
    assert not repeat.filter(again)
    now = 300.0
    assert repeat.filter(again)


def test_an_error_after_which_the_kafka_client_tries_again_is_a_warning(lines: Lines) -> None:
    client = logging.getLogger("aiokafka.consumer.fetcher")
    client.error("Failed fetch messages from %s: %s", 1, KafkaConnectionError("closed"))
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        client.exception("Unexpected error")
    logging.getLogger("uvicorn.error").error("no address")
    assert [line["level"] for line in lines.read()] == ["warning", "error", "error"]


def test_a_condition_is_said_when_it_begins_and_when_it_ends_not_in_between(lines: Lines) -> None:
    now = 0.0
    away = LogOnce("PostgreSQL is away", "PostgreSQL is back", lambda: now)
    away.ends()
    for _ in range(3):
        away.begins(ConnectionRefusedError("refused"))
        now += 2
    assert away.holds
    away.ends()
    away.ends()
    first, last = lines.read()
    assert (first["event"], first["error_class"]) == ("PostgreSQL is away", "ConnectionRefusedError")
    assert (last["event"], last["lasted_s"]) == ("PostgreSQL is back", 6)


def test_a_condition_that_stays_is_said_again_once_in_a_while_with_its_tries(lines: Lines) -> None:
    now = 0.0
    halt = LogOnce("halted", "goes on", lambda: now, again_s=60)
    for _ in range(61):
        halt.begins(OSError("read-only"))
        now += 2
    halt.ends()
    first, again, third, last = lines.read()
    assert "tries" not in first
    assert [(line["event"], line["lasted_s"], line["tries"]) for line in (again, third)] == [
        ("halted", 60, 31),
        ("halted", 120, 61),
    ]
    assert (last["event"], last["lasted_s"]) == ("goes on", 122)


def test_every_metric_name_is_described_once() -> None:
    assert set(METRICS) == set(get_args(MetricName))


def test_counters_gauges_and_histograms_are_exposed_by_their_names() -> None:
    count("gaps_filled", 3, consumer="test-of-telemetry")
    gauge("lag_entries", 7, consumer="projections")
    observe("batch_records", 100, process="test-of-telemetry")
    text = telemetry.exposition().decode()
    assert 'yesser_gaps_filled_total{consumer="test-of-telemetry"} 3.0' in text
    assert 'yesser_lag_entries{consumer="projections"} 7.0' in text
    assert 'yesser_batch_records_bucket{le="256.0",process="test-of-telemetry"} 1.0' in text


ONE_COUNTER = (
    "from infra.observability.telemetry import count, exposition; "
    "count('checkpoints_signed'); print(exposition().decode())"
)


def test_a_process_exposes_what_it_counts_and_nothing_of_others() -> None:
    done = subprocess.run([sys.executable, "-c", ONE_COUNTER], capture_output=True, text=True, check=True)
    exposed = {line.split("{")[0].split(" ")[0] for line in done.stdout.splitlines() if line and line[0] != "#"}
    assert exposed == {"yesser_checkpoints_signed_total"}


def test_a_process_that_stands_by_exposes_no_gauge_and_keeps_its_counters() -> None:
    count("outbox_sent", 2)
    gauge("shipped_up_to", 9)
    gauge("lag_entries", 5, consumer="revenue")
    gauge("lag_entries", 6, consumer="campaigns")
    forget_gauges("revenue")
    assert REGISTRY.get_sample_value("yesser_lag_entries", {"consumer": "revenue"}) is None
    assert REGISTRY.get_sample_value("yesser_lag_entries", {"consumer": "campaigns"}) == 6
    assert REGISTRY.get_sample_value("yesser_shipped_up_to") is None
    sent = REGISTRY.get_sample_value("yesser_outbox_sent_total")
    count("outbox_sent")
    gauge("shipped_up_to", 4)
    assert REGISTRY.get_sample_value("yesser_shipped_up_to") == 4
    assert sent is not None
    assert REGISTRY.get_sample_value("yesser_outbox_sent_total") == sent + 1


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs("info", "supervisor", Full())
    structlog.get_logger().warning("ended and is started again")
    logging.getLogger("aiokafka").warning("cannot reach %s", "node 1")
    root.handlers[:], root.level = handlers, level


def test_a_label_that_is_left_out_is_empty() -> None:
    count("events_refused", agency="moi")
    assert REGISTRY.get_sample_value("yesser_events_refused_total", {"agency": "moi", "code": ""}) == 1


def test_a_label_that_the_metric_does_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no label"):
        gauge("log_size", 1, agency="moi")


def test_a_span_is_nothing_without_an_address() -> None:
    with span("register", [PARENT], subject="is not even looked at"):
        assert trace_header() == []
    assert carried_traces([([], {"traceparent": PARENT})]) == []


def test_one_event_of_a_batch_is_the_spans_parent(spans: InMemorySpanExporter) -> None:
    with span("register", [PARENT, PARENT], first_index=5, entries=1):
        ((_, inside),) = trace_header()
    (made,) = spans.get_finished_spans()
    assert made.parent is not None
    assert f"{made.parent.span_id:016x}" == "b7ad6b7169203331"
    assert inside.startswith(b"00-0af7651916cd43dd8448eb211c80319c-")
    assert dict(made.attributes or {}) == {"first_index": 5, "entries": 1}


def test_several_events_of_a_batch_are_linked(spans: InMemorySpanExporter) -> None:
    with span("apply", [PARENT, OTHER_PARENT], consumer="projections"):
        pass
    (made,) = spans.get_finished_spans()
    assert made.parent is None
    assert [f"{link.context.span_id:016x}" for link in made.links] == ["b7ad6b7169203331", "c7ad6b7169203331"]


@pytest.mark.parametrize("malformed", ["", "1012345678", PARENT[:-1], PARENT.replace("b7ad6b7169203331", "0" * 16)])
def test_a_malformed_traceparent_is_passed_over(spans: InMemorySpanExporter, malformed: str) -> None:
    with span("apply", [malformed]):
        pass
    (made,) = spans.get_finished_spans()
    assert made.parent is None
    assert not made.links


def test_one_trace_goes_from_publish_over_register_to_apply(spans: InMemorySpanExporter) -> None:
    with span("publish", agency="moh"):
        record = [("content-type", b"application/cloudevents+json"), *trace_header()]
    with span("register", carried_traces([(record, {"id": "e"})])):
        shipped = [("index", b"7"), *trace_header()]
    with span("apply", carried_traces([(shipped, None)]), consumer="projections"):
        pass
    published, registered, applied = spans.get_finished_spans()
    assert published.context is not None
    assert registered.context is not None
    assert registered.parent is not None
    assert applied.parent is not None
    assert registered.parent.span_id == published.context.span_id
    assert applied.parent.span_id == registered.context.span_id


def test_an_events_own_traceparent_counts_where_no_header_came(spans: InMemorySpanExporter) -> None:
    del spans
    records = [([], {"traceparent": PARENT}), ([("traceparent", None)], {"traceparent": PARENT}), ([], None)]
    assert carried_traces(records) == [PARENT]


def test_a_span_takes_no_key_and_no_subject(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="not allowed"), span("publish", key="trainee"):
        pass


def test_a_spans_error_does_not_carry_its_message(spans: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError), span("apply"):
        raise RuntimeError("value 1012345678")
    (made,) = spans.get_finished_spans()
    assert not made.events
    assert made.status.description is None
