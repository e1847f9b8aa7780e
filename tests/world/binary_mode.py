"""Events in binary mode, which nothing of ours writes: agencies may."""

from __future__ import annotations

from events.wire.codec import canonical_bytes
from events.wire.strict_json import JsonObject


def to_binary_mode(event: JsonObject) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Value and headers of an event in binary mode."""
    headers = [("content-type", event.get("datacontenttype", "application/json").encode())]
    headers += [
        (f"ce_{name}", value.encode())
        for name, value in event.items()
        if name not in ("data", "datacontenttype") and value is not None
    ]
    return canonical_bytes(event["data"]), headers
