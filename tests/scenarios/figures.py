"""What is shown at the end of the run: what a proof measured (a test that passes says nothing otherwise), what was left
out."""

from __future__ import annotations

FIGURES: list[str] = []


def tell(sentence: str) -> None:
    """Note a figure."""
    FIGURES.append(sentence)


def take() -> list[str]:
    """What was noted since the last time."""
    taken, FIGURES[:] = FIGURES[:], []
    return taken
