"""One supervisor records Kafka's classes, a later start makes their archive; the others start without it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.embedded.servers.kafka import ClassArchive
from infra.errors import StackError

TERMINATED = 128 + signal.SIGTERM


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kafka.aot"


def copying(classes: Path, archive: Path) -> None:
    archive.write_bytes(b"archive of " + classes.read_bytes())


def failing(classes: Path, archive: Path) -> None:
    archive.write_bytes(b"half")
    raise StackError("no space is left")


def recorded(path: Path, code: int = TERMINATED, *, was_ready: bool = True) -> None:
    """A start that records its classes, to its end."""
    archive = ClassArchive(path)
    assert archive.prepare(copying) is None
    (option,) = (text for text in archive.options() if text.startswith("-XX:AOTConfiguration="))
    Path(option.partition("=")[2]).write_bytes(b"classes")
    archive.ended(code, was_ready=was_ready)


def not_made(path: Path) -> None:
    recorded(path)
    ClassArchive(path).prepare(failing)


def names(path: Path) -> set[str]:
    return {file.name for file in path.parent.iterdir()} - {"kafka.aot.lock"}


def test_the_first_broker_records_and_a_later_start_makes_the_archive(path: Path) -> None:
    recorded(path)
    assert names(path) == {"kafka.aot.classes"}
    (path.parent / ".kafka.aot.17").write_bytes(b"of a supervisor that was killed")
    archive = ClassArchive(path)
    assert archive.prepare(copying) == path
    assert (path.read_bytes(), names(path), archive.options()) == (b"archive of classes", {"kafka.aot"}, [])
    archive.ended(TERMINATED, was_ready=True)
    assert ClassArchive(path).prepare(failing) == path


def test_only_one_records_at_a_time_and_the_others_start_without(path: Path) -> None:
    first, second = ClassArchive(path), ClassArchive(path)
    assert [archive.prepare(copying) for archive in (first, second)] == [None, None]
    assert (bool(first.options()), second.options()) == (True, [])
    second.ended(TERMINATED, was_ready=True)
    first.ended(TERMINATED, was_ready=True)
    assert names(path) == set(), "the broker wrote no list"
    recorded(path)


@pytest.mark.parametrize(
    "make_nothing",
    [
        lambda path: recorded(path, -signal.SIGKILL),
        lambda path: recorded(path, 1),
        lambda path: recorded(path, was_ready=False),
        not_made,
    ],
    ids=["killed", "failed", "never ready", "not made"],
)
def test_what_is_not_complete_is_recorded_again(path: Path, make_nothing: Callable[[Path], object]) -> None:
    make_nothing(path)
    assert names(path) == set()
    recorded(path)
    assert names(path) == {"kafka.aot.classes"}


def test_a_folder_that_cannot_be_written_gives_no_archive(path: Path) -> None:
    archive = ClassArchive(path.parent / "none" / path.name)
    assert archive.prepare(copying) is None
    assert archive.options() == []
