"""Publishing resumes where it stopped, only with the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.event_files.lint import LINE_TOO_LARGE
from infra.event_files.ndjson import Line
from producers.publisher.report import Report
from producers.publisher.resume_state import ResumeState, TopicReplaced, WrongResumeState
from tests.world.processes import Clock

LINES = [Line(number, b"line %d" % number) for number in (1, 2, 4, 5)]


def stopped_after_two(folder: Path) -> Path:
    """Its state."""
    path = folder / "state"
    for acknowledged in ([], [1, 2]):
        state = ResumeState.open(path, "moh", Report())
        assert state.left(LINES) == LINES, "what is not acknowledged is left"
        if acknowledged:
            state.acknowledged(acknowledged, 10)
        state.save()
    return path


def test_what_is_stored_is_passed_over_and_known_to_the_report(tmp_path: Path) -> None:
    path = stopped_after_two(tmp_path)
    report = Report()
    state = ResumeState.open(path, "moh", report)
    assert state.left(LINES[:1]) == []
    assert state.left(LINES[1:]) == LINES[2:]
    state.acknowledged([4, 5], 20)
    state.end()
    state.save()
    assert report.sent.ranges(0, 99) == [range(10, 12), range(20, 22)]
    assert report.sent.line_of(21) == 5
    again = ResumeState.open(path, "moh", Report())
    assert again.left(LINES) == []
    again.end()


def test_a_line_too_long_is_remembered_once_it_is_passed(tmp_path: Path) -> None:
    path, report = tmp_path / "state", Report()
    state = ResumeState.open(path, "moh", report)
    state.left([LINES[0], Line(3, None), LINES[3]])
    report.unsent = {3: [LINE_TOO_LARGE]}
    state.acknowledged([1], 0)
    state.save()
    assert ResumeState.open(path, "moh", report_before := Report()).left([LINES[0], Line(3, None)]) == [Line(3, None)]
    assert report_before.unsent == {}
    state.acknowledged([5], 1)
    state.save()
    after = Report()
    assert ResumeState.open(path, "moh", after).left([LINES[0], Line(3, None), LINES[3]]) == []
    assert after.unsent == {3: ()}


def test_another_file_or_a_shorter_one_is_not_gone_on_with_and_the_state_is_kept(tmp_path: Path) -> None:
    path = stopped_after_two(tmp_path)
    before = path.read_bytes()
    other = ResumeState.open(path, "moh", Report())
    with pytest.raises(WrongResumeState, match="the first 2 lines are not those"):
        other.left([LINES[0], Line(2, b"changed")])
    other.save()
    shorter = ResumeState.open(path, "moh", Report())
    shorter.left(LINES[:1])
    with pytest.raises(WrongResumeState, match="the first 2 lines"):
        shorter.end()
    shorter.save()
    assert path.read_bytes() == before
    with pytest.raises(WrongResumeState, match="of agency moh, not moe"):
        ResumeState.open(path, "moe", Report())
    path.write_text("[]")
    with pytest.raises(WrongResumeState, match="not a state file"):
        ResumeState.open(path, "moh", Report())


def test_a_topic_that_was_made_anew_is_noticed(tmp_path: Path) -> None:
    path = stopped_after_two(tmp_path)
    before, report = path.read_bytes(), Report()
    state = ResumeState.open(path, "moh", report)
    state.left(LINES)
    with pytest.raises(TopicReplaced, match="made anew"):
        state.acknowledged([4, 5], 0)
    state.save()
    assert path.read_bytes() == before
    assert report.sent.runs() == [[4, 0, 2]], "what is in the new topic, and nothing of the lost one"


def test_the_state_is_written_at_most_once_a_second(tmp_path: Path) -> None:
    path, clock, report = tmp_path / "state", Clock(0.0), Report()
    state = ResumeState.open(path, "moh", report, clock)
    state.left(LINES)
    state.acknowledged([1], 0)
    assert not path.exists()
    clock.now = 1.5
    state.acknowledged([2], 1)
    assert path.exists()


def test_what_is_forgotten_is_sent_again_from_the_first_line(tmp_path: Path) -> None:
    path = stopped_after_two(tmp_path)
    state = ResumeState.open(path, "moh", Report())
    state.left(LINES)
    state.forget()
    state.save()
    assert not path.exists()
    assert ResumeState.open(path, "moh", Report()).left(LINES) == LINES
