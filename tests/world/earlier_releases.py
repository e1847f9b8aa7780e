"""The releases from which `tests/scenarios/test_upgrades.py` upgrades, each installed from the repository's history."""

from __future__ import annotations

from typing import Final

EARLIER: Final = {
    "cb086aab": "0.2.0",  # 2026-11-27
    "6042891e": "0.2.0",  # 2026-11-28
    "29bd4a66": "0.3.0",  # 2026-11-30
}
"""Commit → its release, the newest last."""
