"""The messages beside the progress bars."""

from __future__ import annotations

import pytest

from producers.publisher.job import Bars


def test_why_verdicts_take_longer_is_said_also_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars(None) as bars:
        bars.waits("agency.health.events is paused")
    assert capsys.readouterr().err == "yesser: agency.health.events is paused\n"
