"""Upcasts: each step turns the `data` of one version into that of the next.

All types are at version 1, so the table is empty. A type with a version 2 gets a row
`("service.launched", 1): as_version_2`; the golden examples of version 1 test the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from events.values.data import Data

Step = Callable[[Data], Data]
Steps = Mapping[tuple[str, int], Step]

UPCASTS: Final[Steps] = {}
"""(short type, version) → the step to the next version. Steps are pure and never fail on accepted data."""


def upcast(name: str, version: int, data: Data, steps: Steps = UPCASTS) -> Data:
    """The data of an event of this version, upcast step by step to the current version."""
    while step := steps.get((name, version)):
        data = step(data)
        version += 1
    return data


def split_type(full_type: str) -> tuple[str, int]:
    """`sa.gov.yesser.service.launched.v1` → (`service.launched`, 1)."""
    name, _, version = full_type.removeprefix("sa.gov.yesser.").rpartition(".v")
    return name, int(version)
