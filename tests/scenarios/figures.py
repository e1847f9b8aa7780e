"""What is shown at the end of the run: what a proof measured (a test that passes says nothing otherwise), what was left
out."""

from __future__ import annotations

from typing import Final

FIGURES: list[str] = []
SLOWEST_MACHINE: Final = 5
"""A shared machine is up to twice as slow from one hour to the next, and busy besides."""


def tell(sentence: str) -> None:
    """Note a figure."""
    FIGURES.append(sentence)


def require_near(what: str, seconds: float, goal_s: float) -> None:
    """Tell a figure that misses its goal, and fail where no slow machine explains it: then something waits."""
    if seconds > goal_s:
        tell(f"MISSED on this machine, now: {what} {seconds:.3f} s, goal {goal_s:g} s")
    assert seconds <= SLOWEST_MACHINE * goal_s, what


def take() -> list[str]:
    """What was noted since the last time."""
    taken, FIGURES[:] = FIGURES[:], []
    return taken
