"""A row has one hash, wherever it is stored, and no other value in a row has the same."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
import rfc8785

from consumers.replay.fold.table_hash import RowHasher, TableHash, canonical_json
from infra.postgres.unit_of_work import Table


@dataclass(slots=True)
class Known:
    id: str
    document: dict[str, Any]


KNOWN = Table("known", Known, ("id",))
TEXT = '{"a":[1,"نص"],"b":null}'


def hash_of(document: Any, json_of: Any) -> TableHash:
    hasher = RowHasher(KNOWN, json_of)
    hasher.add([(document, "k")])
    return hasher.hash()


def test_decoded_json_and_its_canonical_text_hash_alike_and_a_text_in_place_of_an_object_does_not() -> None:
    """Somebody who writes the text of an object into a column of PostgreSQL changes the row."""
    document = msgspec.json.decode(TEXT)
    line = rfc8785.dumps({"id": "k", "document": document}) + b"\n"
    expected = TableHash("known", 1, sha256(line).hexdigest())
    assert hash_of(document, canonical_json) == hash_of(TEXT, msgspec.Raw) == expected
    assert hash_of(TEXT, canonical_json) != expected
