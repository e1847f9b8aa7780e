"""What people see of the stack's state."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from infra.embedded.status import StackStatus
from infra.embedded.status_table import print_status

PART = {"state": "ready", "pid": 1, "port": 2, "restarts": 0}


def test_a_paused_topic_is_named_with_its_reason_in_both_languages() -> None:
    paused = {"agency.health.events": {"until": "2030-01-01T00:00:00+00:00", "en": "noise", "ar": "ضجيج"}}
    written = StringIO()
    status = StackStatus("var", True, True, PART, PART, [], paused)
    print_status(status, Console(file=written, width=200))
    assert "agency.health.events is paused until 2030-01-01T00:00:00+00:00: noise." in written.getvalue()
    assert "ضجيج" in written.getvalue()
    assert status.document()["paused"] == paused
