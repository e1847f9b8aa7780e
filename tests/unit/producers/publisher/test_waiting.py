"""Waiting for verdicts: a line without one, below the position of the registrar, was lost and is never passed over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import pytest

from events.errors import Retry
from events.faults.problems import Fault
from events.validation.refusal import problem_of
from events.wire.entry import entry_bytes
from infra.event_files.opening import read_opening
from infra.postgres.verdicts import Refused, TopicState, Verdicts
from infra.settings import Settings
from producers.errors import RecordsLost, TopicHalted
from producers.publisher import job as jobs
from producers.publisher import run
from producers.publisher.job import Job, run_job, write_refused
from producers.publisher.report import Report
from producers.publisher.run import Progress, wait_for_verdicts
from producers.publisher.sources import EventFile
from tests.world.events import encoded, initiative


class Database:
    """Answers at once; nothing is asked of PostgreSQL."""

    def __init__(self, *_: object) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        return await question(None)

    def hurry(self) -> None: ...


class Publisher(Database):
    """Stores each line at the next offset."""

    def __init__(self, *_: object, acknowledged: Callable[[list[int], int], None], **__: object) -> None:
        self._acknowledged = acknowledged
        self._stored = 0

    async def add(self, value: bytes, tag: int) -> None:
        self._acknowledged([tag], self._stored)
        self._stored += 1

    async def push(self) -> None: ...

    async def flush(self) -> None: ...


@pytest.fixture(autouse=True)
def two_of_three_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read_topic_state(_: Any, topic: str) -> TopicState:
        return TopicState(3, None)

    async def read_verdicts(_: Any, topic: str, sent: list[range]) -> Verdicts:
        return Verdicts(accepted=1, duplicates=1)

    monkeypatch.setattr(run, "PatientConnection", Database)
    monkeypatch.setattr(run, "read_topic_state", read_topic_state)
    monkeypatch.setattr(run, "read_verdicts", read_verdicts)
    monkeypatch.setattr(jobs, "AgencyPublisher", Publisher)


async def test_lines_that_were_lost_are_said_to_be_so(tmp_path: Path) -> None:
    report = Report(lines=3)
    report.sent.add([1, 2], 0)
    await wait_for_verdicts(Settings(home=tmp_path), "health", report, Progress(), 1)
    report.sent.add([3], 2)
    with pytest.raises(RecordsLost, match=r"agency\.health\.events: lines without a verdict: 1\."):
        await wait_for_verdicts(Settings(home=tmp_path), "health", report, Progress(), 1)
    assert issubclass(RecordsLost, Retry), "so that the command ends with 75"


async def test_faults_that_a_refusal_does_not_list_are_counted_by_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [Fault("/x", "unknown-field", "d")] * 100
    errors = problem_of(faults)["errors"]
    refused = Refused(0, 7, "a", errors)

    async def read_verdicts(_: Any, topic: str, sent: list[range]) -> Verdicts:
        return Verdicts(refusals=[refused, Refused(1, 8, "b", errors[:1])])

    async def read_entries(_: Any, first: int, limit: int) -> list[bytes]:
        assert (first, limit) == (7, 1), "the other one lists all of its faults"
        event = initiative() | {"data": {"problem": problem_of(faults, 80)}}
        return [entry_bytes("2026-11-25T10:00:00.000000Z", "agency.health.events/0/0", encoded(event))]

    monkeypatch.setattr(run, "read_verdicts", read_verdicts)
    monkeypatch.setattr(run, "read_entries", read_entries)
    report = Report(lines=2)
    report.sent.add([1, 2], 0)
    await wait_for_verdicts(Settings(home=tmp_path), "health", report, Progress(), 1)
    assert report.document()["unlisted"] == 80


async def test_the_same_command_sends_the_whole_file_again_after_lines_were_lost(tmp_path: Path) -> None:
    source, state = tmp_path / "events.ndjson", tmp_path / "state"
    source.write_text('{"id":"a"}\n' * 3)
    for _ in range(2):
        with source.open("rb") as file:
            lines = EventFile(file, read_opening(file))
            job = Job(Settings(home=tmp_path), "health", file, lines, True, False, 1.0, None, resume=state)
            report, error = await run_job(job)
        assert isinstance(error, RecordsLost)
        assert (report.is_final, report.sent.lines_count, report.document()["unknown"]) == (False, 3, 1)
        assert not state.exists()


async def test_refused_lines_are_written_also_where_others_were_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_verdicts(_: Any, topic: str, sent: list[range]) -> Verdicts:
        return Verdicts(
            accepted=1, refusals=[Refused(1, 7, "b", problem_of([Fault("/x", "unknown-field", "d")])["errors"])]
        )

    monkeypatch.setattr(run, "read_verdicts", read_verdicts)
    source, refused = tmp_path / "events.ndjson", tmp_path / "again.ndjson"
    source.write_text('{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n')
    with source.open("rb") as file:
        lines = EventFile(file, read_opening(file))
        job = Job(Settings(home=tmp_path), "health", file, lines, True, False, 1.0, None, refused=refused)
        report, error = await run_job(job)
        written = write_refused(job, report)
    assert isinstance(error, RecordsLost)
    assert (report.is_final, report.document()["refused"], report.document()["unknown"]) == (False, 1, 1)
    assert written == {"refused_file": str(refused), "refused_lines": [2]}
    assert refused.read_text() == '{"id":"b"}\n'


async def test_refused_lines_are_not_written_while_verdicts_are_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_topic_state(_: Any, topic: str) -> TopicState:
        return TopicState(1, "an unsupported compression")

    monkeypatch.setattr(run, "read_topic_state", read_topic_state)
    source, refused = tmp_path / "events.ndjson", tmp_path / "again.ndjson"
    source.write_text('{"id":"a"}\n{"id":"b"}\n')
    with source.open("rb") as file:
        lines = EventFile(file, read_opening(file))
        job = Job(Settings(home=tmp_path), "health", file, lines, True, False, 1.0, None, refused=refused)
        report, error = await run_job(job)
        assert write_refused(job, report) == {}
    assert isinstance(error, TopicHalted)
    assert not refused.exists()
