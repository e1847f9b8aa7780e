"""Checks beside the tests: both must pass, and the closing line of the tests is the last one."""

from __future__ import annotations

import re
from unittest.mock import Mock

import pytest

from tests import gate

Output = pytest.CaptureFixture[str]


def test_the_checks_are_printed_first_and_one_that_fails_ends_the_tests(capfd: Output) -> None:
    assert gate.run(["echo", "1 passed"], ["sh", "-c", "sleep 0.2; echo checked"]) == 0
    assert gate.run(["sh", "-c", "echo 1 failed; exit 1"], ["echo", "checked"]) == 1
    assert gate.run(["sleep", "60"], ["sh", "-c", "echo wrong types; exit 2"]) == 2
    assert capfd.readouterr().out == "checked\n1 passed\nchecked\n1 failed\nwrong types\n"


def test_a_gate_says_how_long_it_took_and_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch, capfd: Output) -> None:
    run = Mock(return_value=3)
    monkeypatch.setattr(gate, "run", run)
    assert gate.main("accept", "-x") == 3
    (tests, checks) = run.call_args.args
    assert (tests[-1], checks) == ("-x", None)
    said = capfd.readouterr().out
    assert re.fullmatch(r"make accept: 0:00 \(goal on two cores: 60:00\)\. Left out: .+\.\n", said)
