"""Files that people send: their check, their requests, what happens while the gateway is busy, and their bounds."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, cast

import orjson
import pytest

from consumers.console.data.gateway import Gateway, Reply
from consumers.console.pages.workspace.files import explained_line
from consumers.console.sending import uploads
from consumers.console.sending.uploads import Sender, Upload, Uploads, checked
from events.validation.verdicts import Agency
from infra.errors import WrongInput
from infra.http.console_tokens import Sending
from infra.tables.mapping import MappingDocument
from producers.sdk.problems import OutcomeUnknown
from tests.every import every
from tests.world.events import TEXT, encoded
from tests.world.events import event as make
from tests.world.pages import stored

AGENCY = Agency("health", "agency")
HEALTH, LABOUR = (Sender(Sending(name, "agency", "health"), AGENCY) for name in ("health", "labour"))
TOPIC = "agency.health.events/0"


def line(key: str, on: str = "2006-03-01") -> bytes:
    data = {"initiative_id": key, "name": TEXT, "aim": TEXT, "on": on}
    attributes = {"id": key, "time": "2006-03-01T09:30:00+03:00"}
    left_out = dict.fromkeys(("specversion", "source", "datacontenttype"), ...)
    return encoded(make("awareness.initiative-announced", f"initiative/{key}", data, **attributes, **left_out))


def a_file(*lines: bytes, sender: Sender = HEALTH, mapping: MappingDocument | None = None) -> Upload:
    return checked(sender, "a.ndjson", b"\n".join(lines), mapping)


def a_mapping(**members: Any) -> MappingDocument:
    return MappingDocument.model_validate({"columns": {"id": {"pointer": "/id"}}, **members})


class FakeGateway:
    """Stores what it is given, after the answers that a test puts before it; refuses ids that begin with `taken`."""

    def __init__(self, *first: int | None) -> None:
        self.first = list(first)
        self.stored: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.released = asyncio.Event()
        self.released.set()

    async def ask(
        self, sending: Sending, method: str, path: str, *, parameters: Mapping[str, str], content: bytes = b"", **_: Any
    ) -> Reply:
        await self.released.wait()
        if method == "GET":
            return Reply(200, self.receipts(int(parameters["since"])))
        assert parameters == {"partial": "true"}
        self.bodies.append(content)
        status = self.first.pop(0) if self.first else 202
        events = orjson.loads(content)
        if status in (None, 202, 504):  # None: stored, and the connection broke
            offset = len(self.stored)
            self.stored += events
            if status is None:
                raise OutcomeUnknown
            addresses = [f"{TOPIC}/{offset + number}" for number in range(len(events))]
            return Reply(status, stored(*addresses) if status == 202 else {"title": "unknown"})
        return Reply(status, {"title": f"a problem {status}"})

    def receipts(self, since: int) -> dict[str, Any]:
        seen: set[str] = set()
        rows = []
        for offset, event in enumerate(self.stored):
            state = "duplicate" if event["id"] in seen else "registered"
            seen.add(event["id"])
            row: dict[str, Any] = {"address": f"{TOPIC}/{offset}", "state": state, "index": offset}
            if event["id"].startswith("taken"):
                row |= {"state": "refused", "errors": [{"code": "conflict", "pointer": "", "detail": "x"}]}
            elif event["id"].startswith("lost"):
                row = {"address": row["address"], "state": "lost"}
            rows.append(row)
        page = rows[since : since + 1_000]
        return {"receipts": page, "next": since + len(page), "read_up_to": len(rows)}


async def sent(gateway: FakeGateway, upload: Upload) -> None:
    Uploads(cast(Gateway, gateway), uploads.Pauses(0.001, 0.002, 0.01)).send(upload)
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "upload"))


async def test_only_lines_without_a_fault_are_sent_in_order_and_whole_requests() -> None:
    ids = ["a", *(f"b{number}" for number in range(300)), "a"]
    upload = a_file(line("a"), line("bad", "2006-02-30"), b"{", *map(line, ids[1:]))
    assert (upload.findings.lines, upload.good, sorted(upload.findings.faulty)) == (304, 302, [2, 3])
    gateway = FakeGateway()
    await sent(gateway, upload)
    assert [event["id"] for event in gateway.stored] == ids
    assert [len(orjson.loads(body)) for body in gateway.bodies] == [200, 102]
    assert (upload.state, upload.sent, upload.registered, upload.duplicates) == ("done", 302, 301, 1)
    assert gateway.stored[0]["source"] == "urn:yesser:agency:health", "what a line may leave out is filled in"


@every("first", [(503,), (429, 503), (504,), (None,)])
async def test_a_busy_gateway_gets_the_same_bytes_again(first: tuple[int | None, ...]) -> None:
    upload = a_file(line("a"), line("b"))
    gateway = FakeGateway(*first)
    await sent(gateway, upload)
    assert upload.state == "done"
    assert len(set(gateway.bodies)) == 1
    assert upload.decided == 2, "stored twice where the outcome was unknown, and counted once"


async def test_a_gateway_that_stays_away_or_refuses_stops_the_file_and_its_sender_continues_it() -> None:
    upload = a_file(line("a"))
    gateway = FakeGateway(*[503] * 50)
    await sent(gateway, upload)
    assert (upload.state, upload.problem and upload.problem.title) == ("stopped", "a problem 503")
    gateway.first, tries = [403], len(gateway.bodies)
    await sent(gateway, upload)
    assert (upload.state, upload.problem and upload.problem.title) == ("stopped", "a problem 403")
    assert len(gateway.bodies) == tries + 1, "of a suspended agency it stops at once"
    await sent(gateway, upload)
    assert (upload.state, upload.registered, upload.problem) == ("done", 1, None)


async def test_refused_and_lost_lines_come_back_unchanged_to_be_corrected_or_sent_again() -> None:
    taken, bad, lost = line("taken-1"), line("bad", "2006-02-30"), line("lost-1")
    upload = a_file(line("a"), b"", taken, b"  " + bad, lost)
    await sent(FakeGateway(), upload)
    assert (upload.state, upload.registered, upload.decided) == ("done", 1, 3)
    first, second = upload.refused
    assert (first.number, first.errors[0].code) == (3, "conflict")
    assert (second.number, second.index, explained_line(upload, second)[0].detail.en[-14:]) == (
        5,
        None,
        "send it again.",
    )
    assert upload.refused_file() == taken + b"\n  " + bad + b"\n" + lost + b"\n"
    table = checked(HEALTH, "t.csv", b"id\na\nb\n", a_mapping(constants={"/type": "x"}))
    assert (table.good, table.refused_file()) == (0, b"id\na\nb\n")


def test_a_file_without_events_or_beyond_the_bounds_is_not_taken() -> None:
    for content in (b"", b"\n \n", b"code,day\nA,2006-03-01\n", b"[1]\n"):
        with pytest.raises(uploads.NoEvents):
            checked(HEALTH, "x", content, None)
    assert checked(HEALTH, "a", b"{\n{\n", None, lines_max=2).findings.lines == 2
    with pytest.raises(uploads.TooLarge):
        checked(HEALTH, "a", b"{\n{\n{\n", None, lines_max=2)
    with pytest.raises(uploads.TooLarge):
        a_file(b"{" + b" " * uploads.FILE_BYTES_MAX)


async def test_an_account_sends_one_file_at_a_time_and_keeps_few() -> None:
    gateway = FakeGateway()
    gateway.released.clear()
    found = Uploads(cast(Gateway, gateway))
    first, second = [await found.check(HEALTH, name, line(name), None) for name in "ab"]
    found.send(first)
    found.send(first)
    with pytest.raises(uploads.TooManyFiles):
        found.send(second)
    assert found.find("labour", first.id) is None, "of another account"
    theirs = await found.check(LABOUR, "c", line("c"), None)
    found.send(theirs)
    for name in "def":
        await found.check(HEALTH, name, line(name), None)
    assert [upload.name for upload in found.of("health")] == ["f", "e", "a"], "the one that is sent stays"
    await found.close()
    assert first.sent == 0


def with_faults(count: int) -> bytes:
    document = orjson.loads(line("a"))
    return orjson.dumps(document | {"data": document["data"] | {f"{number}": {} for number in range(count)}})


LONG = "x" * 120_000
TEMPLATED = a_mapping(templates={"/data/text": "{id}" * 20_000})
REPLACED = a_mapping(columns={"id": {"pointer": "/id", "type": "list", "values": {"a": LONG}}})
CONSTANT = a_mapping(constants={"/data/text": LONG})
HOSTILE: dict[str, tuple[MappingDocument | None, Callable[[], bytes]]] = {
    "a constant for each row": (CONSTANT, lambda: b"id\n" + b"a\n" * 2_000),
    "a template that repeats a cell": (TEMPLATED, lambda: b"id\n" + b"a" * 100_000 + b"\n"),
    "a word for each part of a cell": (REPLACED, lambda: b"id\n" + b"a|" * 50_000 + b"\n"),
    "many columns": (a_mapping(), lambda: b",".join(b"%d" % number for number in range(590_000)) + b"\n"),
    "many faulty lines": (None, lambda: b"\n".join([with_faults(100)] * 2_500)),
}


@contextmanager
def little_memory(most_mib: int = 64) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= most_mib << 20, f"{peak / (1 << 20):.0f} MiB"


@every("name", HOSTILE)
def test_the_check_of_a_file_takes_little_memory(name: str) -> None:
    mapping, made = HOSTILE[name]
    content = made()
    assert len(content) <= uploads.FILE_BYTES_MAX
    with little_memory(), suppress(WrongInput):
        checked(HEALTH, "t.csv", content, mapping)


def test_a_table_that_makes_too_much_is_refused_and_a_too_long_event_is_a_fault_of_its_line() -> None:
    with pytest.raises(uploads.EventsTooLarge, match="16 MiB"):
        checked(HEALTH, "t.csv", b"id\n" + b"a\n" * 150, CONSTANT)
    assert checked(HEALTH, "t.csv", b"id\n" + b"a\n" * 100, CONSTANT).findings.lines == 100
    upload = checked(HEALTH, "t.csv", b"id\na\n" + b"a" * 1_000 + b"\n", TEMPLATED)
    assert [problem["line"] for problem in upload.findings.problems if problem["code"] == "too-large"] == [3]


def test_the_refused_rows_of_a_table_take_little_memory_however_many_lines_a_row_has() -> None:
    row = b",".join(b'"%b"' % (b"\n" * 20_000) for _ in range(10)) + b"\n"
    header = b",".join(b"%d" % number for number in range(10)) + b"\n"
    upload = checked(HEALTH, "t.csv", header + row, a_mapping(columns={str(number): {} for number in range(10)}))
    with little_memory(12):
        assert upload.refused_file() == header + row
