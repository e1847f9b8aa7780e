"""The version of a fold: a number that only grows, and the hash of the rules and tables that it names.

Both stand in `versions.json`, which `python -m consumers.fold_versions` writes: a running process reads them and hashes
nothing, so that its version never depends on how it was installed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

FILE: Final = "versions.json"


@dataclass(frozen=True, slots=True)
class FoldVersion:
    """`number` orders versions: rows of a higher one are newer. `sha256` is that of the rules and tables."""

    number: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.number} ({self.sha256[:12] or 'no hash'})"


UNNUMBERED: Final = FoldVersion(0, "")
"""Of a consumer that `versions.json` does not list yet; a test then fails."""


def versions() -> dict[str, FoldVersion]:
    """Consumer → its version in this release."""
    text = files("consumers.fold").joinpath(FILE).read_text(encoding="utf-8")
    return {name: FoldVersion(**version) for name, version in json.loads(text).items()}


def version_of(consumer: str) -> FoldVersion:
    """The version of this consumer's fold in this release."""
    return versions().get(consumer, UNNUMBERED)
