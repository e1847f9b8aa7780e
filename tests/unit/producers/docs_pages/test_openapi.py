"""What the API page shows of an operation."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from producers.docs_pages.openapi import (
    Row,
    anchor_of,
    bodies_of,
    curl_of,
    groups_of,
    paragraphs_of,
    parameters_of,
)
from tests.every import every

SCHEMAS = {"Team": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}}


def rows_of(schema: dict[str, Any]) -> list[tuple[str, str, bool]]:
    (body,) = bodies_of(SCHEMAS, {"content": {"application/json": {"schema": schema}}})
    return [(row.name, row.form, row.required) for row in body.rows]


def test_operations_stand_with_their_tag_in_the_order_of_the_document() -> None:
    paths = {path: {"get": {"tags": [tag]}} for path, tag in (("/a", "one"), ("/b", "two"), ("/c", "one"))}
    found = [(tag, [path for _, path, _ in operations]) for tag, operations in groups_of({"paths": paths})]
    assert found == [("one", ["/a", "/c"]), ("two", ["/b"])]
    assert anchor_of("post", "/v1/events:validate") == "post-v1-events-validate"
    assert anchor_of("get", "/v1/events/{id}") == "get-v1-events-id"
    assert paragraphs_of({"description": "One\n line.\n\nTwo."}) == ["One line.", "Two."]


@every(
    ("schema", "form"),
    [
        ({"type": "integer", "minimum": 0}, "integer ≥ 0"),
        ({"type": "integer", "maximum": 9}, "integer ≤ 9"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer 1 … 9"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "boolean | null"),
        ({"anyOf": [{"type": "boolean"}, {"enum": ["x"]}]}, "boolean | x"),
        ({"enum": ["tv", "radio"]}, "tv | radio"),
        ({"const": "1.0"}, "1.0"),
        ({"type": "string", "format": "date-time"}, "string (date-time)"),
        ({"type": "string", "pattern": "^ep_[a-z]+$"}, "string: ep_[a-z]+"),
        ({"type": "string", "pattern": "x" * 200}, "string"),
        ({"type": ["integer", "null"]}, "integer | null"),
        ({"type": "array", "items": {"type": "string"}}, "array of string"),
        ({"$ref": "#/components/schemas/Team"}, "object"),
        ({}, "any"),
    ],
)
def test_the_form_of_a_value_is_short(schema: dict[str, Any], form: str) -> None:
    assert rows_of({"properties": {"x": schema}})[0] == ("x", form, False)


def test_members_of_objects_lists_and_maps_have_rows_of_their_own() -> None:
    team = {"$ref": "#/components/schemas/Team"}
    schema = {
        "properties": {
            "teams": {"type": "array", "items": team},
            "by_name": {"type": "object", "additionalProperties": team},
        },
        "required": ["teams"],
    }
    assert rows_of(schema) == [
        ("teams", "array of object", True),
        ("teams[].code", "string", True),
        ("by_name", "object", False),
        ("by_name.{…}.code", "string", True),
    ]


def test_a_parameter_says_where_it_stands() -> None:
    parameters = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert parameters_of(SCHEMAS, {"parameters": parameters}) == [Row("id", "string", True, "", "path")]


def test_the_command_is_what_a_shell_runs(tmp_path: Path) -> None:
    body = {"content": {"application/json": {"schema": {}, "example": {"name": "it's"}}}}
    required = {"name": "feed", "in": "query", "required": True, "schema": {}}
    optional = {"name": "limit", "in": "query", "required": False, "schema": {}}
    operation = {"requestBody": body, "parameters": [required, optional], "security": [{"token": []}]}
    curl = tmp_path / "curl"
    curl.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    curl.chmod(0o755)
    values = {"YESSER_GATEWAY": "http://g", "YESSER_TOKEN": "t", "TEAM": "press", "FEED": "f"}
    command = ["/bin/sh", "-c", curl_of("put", "/x/{team}/y", operation)]
    ran = subprocess.run(command, env=values | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [
        *("-sS", "-X", "PUT", "http://g/x/press/y?feed=f", "-H", "Authorization:", "Bearer", "t"),
        *("-H", "Content-Type:", "application/json", "--data-binary", "{", '"name":', '"it\'s"', "}"),
    ]
    assert curl_of("get", "/v1/key", {"security": []}) == 'curl -sS "$YESSER_GATEWAY/v1/key"', "it needs no token"
