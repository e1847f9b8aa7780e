"""Documents as programs read them."""

from __future__ import annotations

from typing import Any

from infra.json_documents import from_json, to_json


def as_json(document: Any) -> Any:
    """A document, or a list of documents or rows, as a command with `--json` prints it and a program reads it."""
    return from_json(to_json(document))
