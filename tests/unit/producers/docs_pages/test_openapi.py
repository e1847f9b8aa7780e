"""What the pages of the API show of an operation."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from producers.docs_pages.openapi import Operation, operations_of


def operation(method: str, path: str, **part: Any) -> Operation:
    return Operation(method, path, part, {})


def test_operations_stand_with_their_tag_in_the_order_of_the_document() -> None:
    paths = {path: {"get": {"tags": [tag]}} for path, tag in (("/a", "one"), ("/b", "two"), ("/c", "one"))}
    assert [found.path for found in operations_of({"paths": paths})] == ["/a", "/c", "/b"]


def test_an_operation_has_a_page_a_name_and_paragraphs() -> None:
    assert operation("post", "/v1/events:validate").page == "/docs/api/post-v1-events-validate"
    found = operation("get", "/v1/events/{id}", description="One\n line.\n\nTwo.")
    assert (found.name, found.page) == ("GET /v1/events/{id}", "/docs/api/get-v1-events-id")
    assert found.paragraphs == ["One line.", "Two."]


def test_a_parameter_says_where_it_stands() -> None:
    given = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    (row,) = operation("get", "/x", parameters=[given]).parameters
    assert (row.path, row.kind.words.en, row.required, row.about, row.place) == ("id", "text", True, "", "path")


def test_the_command_is_what_a_shell_runs(tmp_path: Path) -> None:
    body = {"content": {"application/json": {"schema": {}, "example": {"name": "it's"}}}}
    required = {"name": "feed", "in": "query", "required": True, "schema": {}}
    optional = {"name": "limit", "in": "query", "required": False, "schema": {}}
    put = operation("put", "/x/{team}/y", requestBody=body, parameters=[required, optional], security=[{"token": []}])
    curl = tmp_path / "curl"
    curl.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    curl.chmod(0o755)
    values = {"YESSER_GATEWAY": "http://g", "YESSER_TOKEN": "t", "TEAM": "press", "FEED": "f"}
    command = ["/bin/sh", "-c", put.command()]
    ran = subprocess.run(command, env=values | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [
        *("-sS", "-X", "PUT", "http://g/x/press/y?feed=f", "-H", "Authorization:", "Bearer", "t"),
        *("-H", "Content-Type:", "application/json", "--data-binary", "{", '"name":', '"it\'s"', "}"),
    ]
    assert operation("get", "/v1/key", security=[]).command() == 'curl -sS "$YESSER_GATEWAY/v1/key"', "no token"
