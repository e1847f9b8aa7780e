"""Logs, metrics and traces of a process, and that none of them carries personal data or secrets."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args
from unittest.mock import Mock

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


class Lines(io.StringIO):
    """What was written, line by line."""

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = Lines()
    configure_logs("info", "registrar", written)
    yield written
    configure_logs("info", "registrar", written)  # a test may have set the levels of libraries
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(telemetry, "_tracer", None)
    telemetry.start_tracing("registrar", SimpleSpanProcessor(exporter))
    return exporter


def test_a_line_is_json_with_its_process_level_and_time_also_a_librarys(lines: Lines) -> None:
    structlog.get_logger().debug("below the level")
    structlog.get_logger().info("batch registered", first_index=10, entries=5)
    logging.getLogger("aiokafka.conn").warning("cannot reach %s", "node 1")
    line, of_a_library = lines.documents()
    assert line["event"] == "batch registered"
    assert (line["process"], line["level"], line["first_index"]) == ("registrar", "info", 10)
    assert line["timestamp"].endswith("Z")
    assert (of_a_library["event"], of_a_library["level"]) == ("cannot reach node 1", "warning")


def test_payloads_and_secrets_are_dropped_and_of_an_error_all_but_its_class_and_first_line(lines: Lines) -> None:
    log = structlog.get_logger()
    log.info("x", key="k", payload="p", headers={"h": 1}, password="s", more={"token": "t", "n": b"12"})
    try:
        raise ValueError("duplicate key\nDETAIL: Key (id)=(abc) already exists")
    except ValueError:
        log.exception("the batch failed")
    line, failed = lines.documents()
    assert line.keys() == {"event", "level", "timestamp", "process", "more"}
    assert line["more"] == {"n": "<2 bytes>"}
    assert (failed["error_class"], failed["error"]) == ("ValueError", "duplicate key")
    assert failed["trace"][0].endswith("all_but_its_class_and_first_line")
    assert "abc" not in lines.getvalue()


def test_a_number_that_could_be_a_national_id_is_masked(lines: Lines) -> None:
    numbers = ["1012345678", "2012345678", "١٠١٢٣٤٥٦٧٨", "۲۰۱۲۳۴۵۶۷۸"]
    others = ["i1012345678", "9012345678", "10123456789", "101234567"]
    for text in (*numbers, *others):
        structlog.get_logger().info(f"refused {text}", where=[f"id {text}"])
    said = [line["event"] for line in lines.documents()]
    assert said == [*["refused <number>"] * 4, *(f"refused {other}" for other in others)]
    written = lines.getvalue().splitlines()[:4]
    assert not any(form in line for line in written for number in numbers for form in (number, json.dumps(number)))


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
    logging.getLogger("aiokafka").error("Unable connect to %s", "127.0.0.1")
    assert [line["level"] for line in lines.documents()] == ["warning", "error", "error", "warning"]


def test_a_command_leaves_to_its_own_sentence_what_the_kafka_client_says_of_a_try(lines: Lines) -> None:
    configure_logs("error", "publish", lines)
    logging.getLogger("aiokafka").error("Unable connect to %s", "127.0.0.1")
    logging.getLogger("uvicorn.error").error("no address")
    assert [line["event"] for line in lines.documents()] == ["no address"]


def test_a_condition_is_said_when_it_begins_and_ends_and_once_in_a_while_with_its_tries(lines: Lines) -> None:
    now = 0.0
    away = LogOnce("PostgreSQL is away", "PostgreSQL is back", lambda: now, again_s=60)
    away.ends()
    for _ in range(61):
        away.begins(ConnectionRefusedError("refused"))
        now += 2
    assert away.holds
    away.ends()
    away.ends()
    once = LogOnce("halted", "goes on", lambda: now)
    for _ in range(2):
        once.begins(OSError("read-only"))
        now += 3_600
    first, again, third, last, *halted = lines.documents()
    assert (first["event"], first["error_class"]) == ("PostgreSQL is away", "ConnectionRefusedError")
    assert "tries" not in first
    assert [(line["event"], line["lasted_s"], line["tries"]) for line in (again, third)] == [
        ("PostgreSQL is away", 60, 31),
        ("PostgreSQL is away", 120, 61),
    ]
    assert (last["event"], last["lasted_s"]) == ("PostgreSQL is back", 122)
    assert [line["event"] for line in halted] == ["halted"], "once, unless it is asked for"


def test_counters_gauges_and_histograms_are_exposed_by_their_names() -> None:
    assert set(METRICS) == set(get_args(MetricName)), "describe each in METRICS of infra/observability/telemetry.py"
    count("gaps_filled", 3, consumer="test-of-telemetry")
    gauge("lag_entries", 7, consumer="projections")
    observe("batch_records", 100, process="test-of-telemetry")
    count("events_refused", agency="moi")
    text = telemetry.exposition().decode()
    assert 'yesser_gaps_filled_total{consumer="test-of-telemetry"} 3.0' in text
    assert 'yesser_lag_entries{consumer="projections"} 7.0' in text
    assert 'yesser_batch_records_bucket{le="256.0",process="test-of-telemetry"} 1.0' in text
    assert 'yesser_events_refused_total{agency="moi",code=""} 1.0' in text, "a label that is left out is empty"
    with pytest.raises(ValueError, match="has no label"):
        gauge("log_size", 1, agency="moi")


ONE_COUNTER = "from infra.observability.telemetry import *; count('checkpoints_signed'); print(exposition().decode())"


def test_a_process_exposes_what_it_counts_and_nothing_of_others() -> None:
    done = subprocess.run([sys.executable, "-c", ONE_COUNTER], capture_output=True, text=True, check=True)
    exposed = {line.split("{")[0].split(" ")[0] for line in done.stdout.splitlines() if line and line[0] != "#"}
    assert exposed == {"yesser_checkpoints_signed_total"}


def test_a_process_that_stands_by_exposes_no_gauge_and_keeps_its_counters() -> None:
    def value(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"yesser_{name}", labels)

    count("outbox_sent", 2)
    gauge("shipped_up_to", 9)
    gauge("lag_entries", 5, consumer="revenue")
    gauge("lag_entries", 6, consumer="campaigns")
    sent = value("outbox_sent_total")
    assert sent is not None
    forget_gauges("revenue")
    assert value("lag_entries", consumer="revenue") is None
    assert value("lag_entries", consumer="campaigns") == 6
    assert value("shipped_up_to") is None
    count("outbox_sent")
    gauge("shipped_up_to", 4)
    assert (value("shipped_up_to"), value("outbox_sent_total")) == (4, sent + 1)


@pytest.mark.usefixtures("lines")
def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    fault = OSError(28, "No space left on device")
    full = Mock(spec=io.StringIO, **{"write.side_effect": fault, "flush.side_effect": fault})
    configure_logs("info", "supervisor", full)
    structlog.get_logger().warning("ended and is started again")
    logging.getLogger("aiokafka").warning("cannot reach %s", "node 1")
    assert full.write.called


def test_a_span_is_nothing_without_an_address() -> None:
    with span("register", [PARENT], subject="is not even looked at"):
        assert trace_header() == []
    assert carried_traces([([], {"traceparent": PARENT})]) == []


def test_one_event_of_a_batch_is_the_spans_parent_and_several_are_linked(spans: InMemorySpanExporter) -> None:
    with span("register", [PARENT, PARENT], first_index=5, entries=1):
        ((_, inside),) = trace_header()
    with span("apply", [PARENT, OTHER_PARENT], consumer="projections"):
        pass
    one, several = spans.get_finished_spans()
    assert one.parent is not None
    assert f"{one.parent.span_id:016x}" == "b7ad6b7169203331"
    assert inside.startswith(b"00-0af7651916cd43dd8448eb211c80319c-")
    assert dict(one.attributes or {}) == {"first_index": 5, "entries": 1}
    assert several.parent is None
    assert [f"{link.context.span_id:016x}" for link in several.links] == ["b7ad6b7169203331", "c7ad6b7169203331"]


def test_a_malformed_traceparent_is_passed_over_and_a_span_takes_no_text(spans: InMemorySpanExporter) -> None:
    for malformed in ("", "1012345678", PARENT[:-1], PARENT.replace("b7ad6b7169203331", "0" * 16)):
        with span("apply", [malformed]):
            pass
    with pytest.raises(ValueError, match="not allowed"), span("publish", key="trainee"):
        pass
    with pytest.raises(RuntimeError), span("apply"):
        raise RuntimeError("value 1012345678")
    *made, failed = spans.get_finished_spans()
    assert [(one.parent, list(one.links)) for one in made[:4]] == [(None, [])] * 4
    assert (failed.name, list(failed.events), failed.status.description) == ("apply", [], None)


def test_one_trace_goes_from_publish_over_register_to_apply(spans: InMemorySpanExporter) -> None:
    with span("publish", agency="moh"):
        record = [("content-type", b"application/cloudevents+json"), *trace_header()]
    with span("register", carried_traces([(record, {"id": "e"})])):
        shipped = [("index", b"7"), *trace_header()]
    with span("apply", carried_traces([(shipped, None)]), consumer="projections"):
        pass
    made = spans.get_finished_spans()
    parents, contexts = [one.parent for one in made], [one.context for one in made]
    assert [parent and parent.span_id for parent in parents] == [None, *(c and c.span_id for c in contexts[:2])]
    # An event's own traceparent counts where no header came.
    records = [([], {"traceparent": PARENT}), ([("traceparent", None)], {"traceparent": PARENT}), ([], None)]
    assert carried_traces(records) == [PARENT]
