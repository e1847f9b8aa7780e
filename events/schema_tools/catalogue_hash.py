"""The hash of the catalogue's schemas, under which the log records which catalogue judged what.

It is taken over the committed schemas: another version of the generator must not change it.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files

import orjson

from events.types.catalogue import CATALOGUE
from events.wire.codec import canonical_bytes
from events.wire.envelope import full_type


@cache
def catalogue_sha256() -> str:
    """SHA-256 over the RFC 8785 form of the object full type → its JSON Schema, in hexadecimal."""
    folder = files("events") / "schemas"
    schemas = {full_type(name): orjson.loads((folder / f"{name}.v1.json").read_bytes()) for name in CATALOGUE}
    return sha256(canonical_bytes(schemas)).hexdigest()
