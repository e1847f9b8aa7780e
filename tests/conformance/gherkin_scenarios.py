"""Scenarios of a feature file, with outlines and backgrounds spelled out, as plain steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler

FEATURES: Final = Path(__file__).parent / "features"


@dataclass(frozen=True)
class Step:
    """`text` without its keyword; the block of text or the table (key → value) that follows it."""

    text: str
    block: str
    table: dict[str, str]


@dataclass(frozen=True)
class Scenario:
    """A scenario with the values of one example."""

    name: str
    steps: list[Step]

    def step(self, text: str) -> Step:
        """The only step of this text."""
        (found,) = (step for step in self.steps if step.text == text)
        return found


def scenarios(feature: str) -> list[Scenario]:
    """All scenarios of `features/<feature>.feature`."""
    path = FEATURES / f"{feature}.feature"
    document: Any = Parser().parse(path.read_text(encoding="utf-8"))
    document["uri"] = path.name
    pickles: list[Any] = Compiler().compile(document)
    return [Scenario(pickle["name"], [_step(step) for step in pickle["steps"]]) for pickle in pickles]


def _step(step: Any) -> Step:
    argument = step.get("argument", {})
    rows = argument.get("dataTable", {}).get("rows", [])
    _, *pairs = [[cell["value"] for cell in row["cells"]] for row in rows] or [[]]
    return Step(step["text"], argument.get("docString", {}).get("content", ""), dict(pairs))
