"""A campaign as the read API answers it."""

from __future__ import annotations

from typing import Any


def campaign(**changed: Any) -> dict[str, Any]:
    row = {
        "campaign_id": "service-launched.i4",
        "rule": "service-launched",
        "owner": "health",
        "state": "triggered",
        "paused": False,
        "due_on": "2026-11-25",
        "missing_channels": ["tv"],
        "next_action": "acknowledge",
        "service": None,
        "acknowledged_index": None,
        "acknowledged": None,
    }
    return row | changed
