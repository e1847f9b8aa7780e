"""FastStream's own AsyncAPI of the examples and the document that is made from the catalogue say the same."""

from __future__ import annotations

import re
import runpy
import sqlite3
from pathlib import Path
from typing import Any

import orjson
import pytest
from faststream.specification import AsyncAPI

import events
from tests.every import every

ROOT = Path(events.__file__).parent
DOCUMENT: dict[str, Any] = orjson.loads((ROOT / "asyncapi.json").read_bytes())
EXAMPLES = ROOT.parent / "docs" / "examples"
PAGE = (EXAMPLES.parent / "kafka.md").read_text(encoding="utf-8")
UNSAID = {"title", "description", "default"}
"""What FastStream takes from the names of models and fields, and our schemas leave out or say in their own words."""


def document_of(example: str, patches: pytest.MonkeyPatch) -> dict[str, Any]:
    """What FastStream says of an example, whose broker connects to nothing until it is started."""
    credentials = {"YESSER_KAFKA_USER": "agency-health", "YESSER_KAFKA_PASSWORD": "secret"}
    given = credentials | {"YESSER_KAFKA": "127.0.0.1:9092", "YESSER_AGENCY": "health", "CAMPAIGNS": ":memory:"}
    for name, value in given.items():
        patches.setenv(name, value)
    broker = runpy.run_path(str(EXAMPLES / f"{example}.py"))["broker"]
    document: dict[str, Any] = orjson.loads(AsyncAPI(broker, schema_version="3.0.0").to_specification().to_json())
    return document


def payload_of(message: str) -> Any:
    """The schema of one of our messages."""
    reference = DOCUMENT["components"]["messages"][message]["payload"]["schema"]["$ref"]
    schema = orjson.loads((ROOT / reference).read_bytes())
    return resolved(schema, schema["$defs"])


def resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema with its references replaced and without annotations."""
    if isinstance(schema, list):
        return [resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {
        key: {name: resolved(item, definitions) for name, item in value.items()}
        if key == "properties"
        else resolved(value, definitions)
        for key, value in schema.items()
        if not (key in UNSAID or key.startswith(("$", "x-")))
    }


def by_type(payloads: list[Any]) -> dict[str, Any]:
    return {payload["properties"]["type"]["const"]: payload for payload in payloads}


@every(
    ("example", "action", "channel", "messages"),
    [
        ("receive_triggers", "receive", "campaignTriggers", ["campaignTriggered"]),
        ("publish_with_faststream", "send", "agencyEvents", ["serviceLaunched"]),
        ("receive_campaigns", "receive", "agencyCampaigns", list(DOCUMENT["channels"]["agencyCampaigns"]["messages"])),
    ],
)
def test_the_applications_document_has_our_channel_messages_and_payloads(
    example: str, action: str, channel: str, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = document_of(example, monkeypatch)
    (their_channel,) = theirs["channels"].values()
    (their_operation,) = theirs["operations"].values()
    (their_message,) = theirs["components"]["messages"].values()
    assert their_channel["address"] == DOCUMENT["channels"][channel]["address"].replace("{code}", "health")
    # The application is at the other end of the channel than the platform.
    assert their_operation["action"] == action
    opposite = {"receive": "send", "send": "receive"}[action]
    on_channel = [one for one in DOCUMENT["operations"].values() if one["channel"]["$ref"] == f"#/channels/{channel}"]
    named = [one["$ref"] for ours in on_channel if ours["action"] == opposite for one in ours["messages"]]
    assert set(messages) <= {reference.rpartition("/")[2] for reference in named}
    payload = resolved(their_message["payload"], theirs["components"]["schemas"])
    assert by_type(payload.get("anyOf", [payload])) == by_type([payload_of(message) for message in messages])


@every("example", ["receive_campaigns", "receive_triggers"])
def test_the_page_has_the_table_in_which_an_example_keeps_each_event_once(example: str) -> None:
    database = sqlite3.connect(":memory:")
    for statement in re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        database.execute(statement)
    (insert,) = re.findall(r'"(INSERT [^"]+)"', (EXAMPLES / f"{example}.py").read_text(encoding="utf-8"))
    for _ in range(2):
        database.execute(insert, ["x"] * insert.count("?"))
    assert database.execute(f"SELECT count(*) FROM {insert.split()[2]}").fetchone() == (1,)
    database.close()


@every("example", ["receive_campaigns", "receive_triggers", "publish_with_faststream"])
def test_an_example_is_short_and_the_page_shows_lines_of_it(example: str) -> None:
    lines = (EXAMPLES / f"{example}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 25
    _, link, after = PAGE.partition(f"(examples/{example}.py)")
    assert link
    shown = after.partition("```python\n")[2].partition("```")[0].split("\n")
    code = {part.strip() for line in lines for part in (line, line.partition("  #")[0])}
    assert [line for line in shown if line.strip() not in code] == []
