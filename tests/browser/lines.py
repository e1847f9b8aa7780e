"""Events as lines of a file, and publishing them beside the story."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.browser.console import Story

BOTH: Final = {"ar": "نص", "en": "Text"}


def line(kind: str, subject: str, id: str, day: str = "2006-03-01", **data: Any) -> dict[str, Any]:
    """An event of this type about a subject such as `service/S-1`."""
    time = f"{day}T09:30:00+03:00"
    return {"id": id, "type": f"sa.gov.yesser.{kind}.v1", "subject": subject, "time": time, "data": data}


def initiative(key: str, **data: Any) -> dict[str, Any]:
    """The announcement of an initiative; its id is the initiative's."""
    given: dict[str, Any] = {"initiative_id": key, "name": BOTH, "aim": BOTH, "on": "2006-03-01", **data}
    return line("awareness.initiative-announced", f"initiative/{key}", key, **given)


def registered(service_id: str, plan_id: str, name: dict[str, str], id: str = "") -> dict[str, Any]:
    """The registration of a service of group 1. Of another plan, the figures of the story's plan stay as they are."""
    data: dict[str, Any] = {"service_id": service_id, "plan_id": plan_id, "group": 1, "name": name}
    return line("service.registered", f"service/{service_id}", id or f"registered-{service_id}", **data)


def publish(story: Story, agency: str, *lines: dict[str, Any]) -> None:
    """Send events as an agency, and wait until every read model has them."""
    path = story.system.home / "events.ndjson"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines), encoding="utf-8")
    story.run("publish", str(path), "--agency", agency, "--wait")
    story.settle()
