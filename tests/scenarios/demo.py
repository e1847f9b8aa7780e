"""A system on which `yesser demo` has published the programme's sample history and verified it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infra.embedded.processes.signals import usual_parts
from tests.scenarios.system import System, fresh_system


@dataclass(frozen=True)
class Demo:
    """The system, and the document that the command printed."""

    system: System
    document: dict[str, Any]


@contextmanager
def fresh_demo() -> Iterator[Demo]:
    """On a system of its own, whose consumers are one process."""
    with fresh_system(only=usual_parts(cores=1), in_memory=True) as system:
        yield Demo(system, system.run("demo"))
