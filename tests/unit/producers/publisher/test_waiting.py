"""Waiting for verdicts: a line without one, below the position of the registrar, was lost and is never passed over."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from unittest.mock import AsyncMock

import pytest

from events.errors import Retry
from events.faults.problems import Fault
from events.validation.refusal import problem_of
from events.wire.entry import entry_bytes
from infra.event_files.ndjson import read_opening
from infra.postgres.verdicts import TopicState
from infra.settings import Settings
from infra.verdicts import Refused, Verdicts
from producers.errors import RecordsLost, TopicHalted
from producers.publisher import over_kafka
from producers.publisher.job import Bars, EventFile, Job, run_job, write_refused
from producers.publisher.over_kafka import KafkaDestination, wait_for_verdicts
from producers.publisher.report import Progress, PublishDocument, Report
from tests.world.documents import as_json
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


@dataclass
class Registrar:
    """What it says of a topic of which it has read three records."""

    state: TopicState = field(default_factory=lambda: TopicState(3, None))
    verdicts: Verdicts = field(default_factory=lambda: Verdicts(accepted=1, duplicates=1))
    entry: bytes = b""


@pytest.fixture
def registrar(monkeypatch: pytest.MonkeyPatch) -> Registrar:
    made = Registrar()

    def entries(_: object, first: int, limit: int) -> list[bytes]:
        assert (first, limit) == (7, 1), "another refusal lists all of its faults"
        return [made.entry]

    monkeypatch.setattr(over_kafka, "PatientConnection", Database)
    monkeypatch.setattr(over_kafka, "read_topic_state", AsyncMock(side_effect=lambda *_, **__: made.state))
    monkeypatch.setattr(over_kafka, "read_verdicts", AsyncMock(side_effect=lambda *_, **__: deepcopy(made.verdicts)))
    monkeypatch.setattr(over_kafka, "read_checked", AsyncMock(side_effect=entries))
    monkeypatch.setattr(over_kafka, "AgencyPublisher", Publisher)
    return made


async def wait(home: Path, report: Report) -> None:
    await wait_for_verdicts(Settings(home=home), "health", report, Progress(), 1)


async def published(folder: Path, ids: str, **options: Path) -> tuple[PublishDocument, Exception | None]:
    """What is said of a file of these events, and the error."""
    source = folder / "events.ndjson"
    source.write_text("".join(f'{{"id":"{id_}"}}\n' for id_ in ids))
    with source.open("rb") as file:
        lines = EventFile(file, read_opening(file))
        job = Job(
            KafkaDestination(Settings(home=folder), "health", 1.0),
            "health",
            file,
            lines,
            True,
            False,
            None,
            raw=True,
            **options,
        )
        report, error = await run_job(job)
        document = report.document()
        write_refused(job, report, document)
        return document, error


async def test_lines_that_were_lost_are_said_to_be_so(registrar: Registrar, tmp_path: Path) -> None:
    report = Report(lines=3)
    report.sent.add([1, 2], 0)
    await wait(tmp_path, report)
    report.sent.add([3], 2)
    with pytest.raises(RecordsLost, match=r"agency\.health\.events: lines without a verdict: 1\."):
        await wait(tmp_path, report)
    assert issubclass(RecordsLost, Retry), "so that the command ends with 75"


async def test_faults_that_a_refusal_does_not_list_are_counted(registrar: Registrar, tmp_path: Path) -> None:
    faults = [Fault("/x", "unknown-field", "d")] * 100
    errors = problem_of(faults)["errors"]
    registrar.verdicts = Verdicts(refusals=[Refused(0, 7, "a", errors), Refused(1, 8, "b", errors[:1])])
    event = initiative() | {"data": {"problem": problem_of(faults, 80)}}
    registrar.entry = entry_bytes("2026-11-25T10:00:00.000000Z", "agency.health.events/0/0", encoded(event))
    report = Report(lines=2)
    report.sent.add([1, 2], 0)
    await wait(tmp_path, report)
    assert report.document().unlisted == 80


async def test_after_a_loss_the_whole_file_is_sent_again(registrar: Registrar, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for _ in range(2):
        document, error = await published(tmp_path, "aaa", resume=state)
        assert isinstance(error, RecordsLost)
        assert (document.sent, document.unknown) == (3, 1)
        assert not state.exists()


async def test_refused_lines_are_written_for_their_owner_alone(registrar: Registrar, tmp_path: Path) -> None:
    errors = problem_of([Fault("/x", "unknown-field", "d")])["errors"]
    registrar.verdicts = Verdicts(accepted=1, refusals=[Refused(1, 7, "b", errors)])
    refused = tmp_path / "again.ndjson"
    refused.write_text("something longer that was there before")
    refused.chmod(0o644)
    document, error = await published(tmp_path, "abc", refused=refused)
    assert isinstance(error, RecordsLost)
    assert (document.refused, document.unknown) == (1, 1)
    assert (document.refused_file, document.refused_lines) == (str(refused), [2])
    assert refused.read_text() == '{"id":"b"}\n'
    assert refused.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["again.ndjson", "events.ndjson"]


async def test_refused_lines_are_not_written_while_verdicts_are_to_come(registrar: Registrar, tmp_path: Path) -> None:
    registrar.state = TopicState(1, "an unsupported compression")
    refused = tmp_path / "again.ndjson"
    document, error = await published(tmp_path, "ab", refused=refused)
    assert isinstance(error, TopicHalted)
    assert not refused.exists()
    assert "refused_lines" not in as_json(document)


def test_why_verdicts_take_longer_is_said_also_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars(None) as bars:
        bars.waits("agency.health.events is paused")
    assert capsys.readouterr().err == "yesser: agency.health.events is paused\n"
