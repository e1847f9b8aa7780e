"""The data of an event as JSON has it: an object whose members its type says."""

from __future__ import annotations

from typing import Any

Data = dict[str, Any]
