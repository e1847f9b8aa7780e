"""Old versions are read as today's."""

from __future__ import annotations

from typing import Any

from events.wire.upcasts import UPCASTS, Steps, split_type, upcast

STEPS: Steps = {
    ("service.launched", 1): lambda data: {**data, "channels": [data["channel"]]},
    ("service.launched", 2): lambda data: {key: value for key, value in data.items() if key != "channel"},
}


def test_steps_follow_one_another_up_to_today() -> None:
    old: dict[str, Any] = {"channel": "web"}
    assert upcast("service.launched", 1, old, STEPS) == {"channels": ["web"]}
    assert upcast("service.launched", 3, {"channels": []}, STEPS) == {"channels": []}
    assert old == {"channel": "web"}


def test_today_nothing_changes_and_a_full_type_has_a_name_and_a_version() -> None:
    assert not UPCASTS
    data = {"service_id": "SVC-1"}
    assert upcast("service.launched", 1, data) is data
    assert split_type("sa.gov.yesser.service.launched.v12") == ("service.launched", 12)
