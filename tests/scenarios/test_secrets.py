"""No secret of a running system is anywhere but in its own file, and no trace has an event's content.

The canaries are the real secrets: every one that the system has, and those that it handed out once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.every import every
from tests.scenarios.system import System, fresh_system, until

pytestmark = [pytest.mark.stack, pytest.mark.accept]

AGENCY = "canary"
SUBJECT = "service/CANARY"
NAMES = {"ar": "خدمة الكناري", "en": "Service of the canary"}
TRACING: Final = ("publish", "registrar", "projections", "campaigns", "revenue", "event-index")
"""The processes that send spans."""


class Collector(ThreadingHTTPServer):
    """An OTLP receiver on loopback, which keeps each request: its head and its body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keep)
        self.received: list[tuple[str, bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """With which a process sends its spans here, five times a second."""
        return {
            "YESSER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def spans(self) -> list[tuple[str, str]]:
        """Process and name of every span."""
        return [
            (attribute.value.string_value.removeprefix("yesser-"), span.name)
            for _, body in self.received
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Keep(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((f"{self.requestline}\n{self.headers}", body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def used(collector: Collector) -> Iterator[System]:
    """A system of its own, whose processes send traces: its services are killed."""
    with ExitStack() as running:
        with pytest.MonkeyPatch.context() as patched:
            for name, value in collector.environment.items():
                patched.setenv(name, value)
            system = running.enter_context(fresh_system(in_memory=True))
        yield system


@pytest.fixture(scope="module")
def canaries(used: System, collector: Collector) -> dict[str, str]:
    """Every secret by what it is, after each process has worked and has met an error."""
    names = ("--name-ar", "جهة", "--name-en", "Agency of canaries")
    handed_out = {
        "the agency's password": used.ask("agencies", "add", AGENCY, "--role", "agency", *names).get("password"),
        "its next password": used.ask("agencies", "rotate", AGENCY)["password"],
        "a token": used.ask("tokens", "create", AGENCY)["token"],
    }
    _work(used, collector)
    for service in ("postgres", "kafka"):
        used.kill(service)
        used.until_all_ready()
    _work(used, collector)
    return {what: secret for what, secret in handed_out.items() if secret} | stored(used.home)


def stored(home: Path) -> dict[str, str]:
    """The passwords and private keys of a home."""
    files = [*home.glob("secrets/*/*"), *home.glob("*/*.skey")]
    return {str(path.relative_to(home)): path.read_text("ascii").strip() for path in files}


def _work(system: System, collector: Collector) -> None:
    event = {
        "id": f"canary-{os.urandom(4).hex()}",
        "type": "sa.gov.yesser.service.registered.v1",
        "subject": SUBJECT,
        "time": "2006-03-01T09:30:00+03:00",
        "data": {"service_id": "CANARY", "plan_id": "P", "group": 1, "name": NAMES},
    }
    file = system.home / "canary.ndjson"
    file.write_text(json.dumps(event) + "\n" + "no event\n", "utf-8")
    command = [sys.executable, "-m", "infra.cli", "publish", str(file), "--agency", AGENCY, "--wait"]
    published = subprocess.run(
        command, env=system.environment() | collector.environment, capture_output=True, check=False, timeout=240
    )
    assert published.returncode in (0, 1), published.stderr.decode()[-2000:]
    system.settle()


def found_in(text: str, canaries: dict[str, str]) -> list[str]:
    """The secrets that are in the text; half of one is too much."""
    return [what for what, secret in canaries.items() if secret[-32:] in text or secret[: len(secret) // 2] in text]


def test_no_command_line_and_no_environment_has_a_secret(used: System, canaries: dict[str, str]) -> None:
    seen = 0
    for process in psutil.process_iter():
        try:
            said = "\0".join([*process.cmdline(), *(f"{n}={v}" for n, v in process.environ().items())])
        except psutil.Error:
            continue
        seen += str(used.home) in said
        assert found_in(said, canaries) == [], process
    assert seen >= len(used.parts())


def test_no_log_no_metric_and_no_record_has_a_secret(used: System, canaries: dict[str, str]) -> None:
    said = {path.name: path.read_text("utf-8", "replace") for path in (used.home / "logs").iterdir()}
    said["stack.json"] = (used.home / "stack.json").read_text("utf-8")
    for part, record in used.parts().items():
        if "health_port" in record:
            said |= {f"{part}{path}": used.answer(part, path)[1] for path in ("/metrics", "/readyz", "/healthz")}
    named = {name for name, text in said.items() if text}
    assert {"stack.json", "registrar.log", "kafka.log", "postgres.log"} <= named
    assert any(name.endswith("/metrics") for name in named)
    assert {where: found for where, text in said.items() if (found := found_in(text, canaries))} == {}


def test_no_trace_has_a_secret_a_key_a_subject_or_a_payload(canaries: dict[str, str], collector: Collector) -> None:
    until(lambda: {process for process, _ in collector.spans()} >= set(TRACING), 240, "a process sent no span")
    said = "".join(head + body.decode("utf-8", "replace") for head, body in collector.received)
    assert found_in(said, canaries) == []
    assert [word for word in (SUBJECT.partition("/")[2], "canary-", *NAMES.values()) if word in said] == []
    assert AGENCY in said, "what a span may hold is found"


ERRORS = {
    "another database": {"YESSER_POSTGRES": "postgresql://127.0.0.1:1/yesser"},
    "no such database": {"database": "nosuch"},
    "a wrong password": {"password": "x"},
    "a wrong setting": {"YESSER_LEASE_MS": "soon"},
}


@every("error", ERRORS)
def test_no_error_of_a_command_has_a_secret(used: System, canaries: dict[str, str], error: str) -> None:
    given = dict(ERRORS[error])
    port = used.parts()["postgres"]["port"]
    secret = canaries["secrets/reader/postgres"]
    password, database = given.pop("password", ""), given.pop("database", "yesser")
    address = f"postgresql://yesser_reader:{secret}{password}@127.0.0.1:{port}/{database}"
    environment = used.environment() | {"YESSER_POSTGRES": address} | given
    command = [sys.executable, "-m", "infra.cli", "log", "size"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode != 0
    assert done.stderr
    assert found_in(done.stdout + done.stderr, canaries) == []
