"""A service that was launched, as the coverage shows it, and one without an airing."""

from __future__ import annotations

from typing import Any, Final

from tests.world.campaigns import SERVICE

CHANNELS: Final = ("tv", "radio", "print")
NO_AIRING: Final[dict[str, Any]] = {"airings": 0, "reach": 0, "first_aired_on": None, "days_to_first_airing": None}
LAUNCHED: Final[dict[str, Any]] = {
    "service_id": "S-1",
    "name": SERVICE["name"],
    "agency": "health",
    "plan_id": "P",
    "group": 1,
    "launched_on": "2005-11-01",
    "launched_index": 7,
}
