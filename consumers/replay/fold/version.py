"""The version of a fold: a number that only grows, and the hash of the rules and tables that it names.

Both are in `versions.json`, which `python -m consumers.models.fold_versions` writes: a running process reads them and
hashes nothing, so that its version never depends on how it was installed. Rules that a deployment gives as files change
the hash, and each has a version of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final, TypedDict

from msgspec import to_builtins

FILE: Final = "versions.json"


@dataclass(frozen=True, slots=True)
class FoldVersion:
    """`number` orders versions: rows of a higher one are newer. `sha256` is that of the rules and tables."""

    number: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.number} ({self.sha256[:12] or 'no hash'})"

    @property
    def label(self) -> str:
        """As in commitments. The number alone says too little: a deployment's own rules change the hash only."""
        return f"{self.number}-{self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule that is a file: its version, the hash of what it says, and the file's name."""

    version: int
    sha256: str
    file: str


class StoredRule(TypedDict):
    """The same as JSON."""

    version: int
    sha256: str
    file: str


class StoredRules(TypedDict, total=False):
    """The rules that made a consumer's rows, as JSON beside its position; empty if its rules are no files."""

    version: int
    rules: dict[str, StoredRule]


@dataclass(frozen=True, slots=True)
class RuleVersions:
    """The rules of a fold that are files, by name. `version` is that of the set; `own`: a deployment gave them."""

    version: int
    rules: Mapping[str, RuleVersion]
    own: bool

    def document(self) -> StoredRules:
        """As stored with the consumer's position."""
        return {"version": self.version, "rules": to_builtins(self.rules)}

    def joined(self, release: FoldVersion) -> FoldVersion:
        """The fold's version with these rules; that of the release where they are its own."""
        if not self.own:
            return release
        said = [[name, rule.version, rule.sha256] for name, rule in sorted(self.rules.items())]
        return FoldVersion(release.number, sha256(json.dumps([release.sha256, said]).encode()).hexdigest())

    def changed_without_version(self, kept: StoredRules) -> list[str]:
        """The files of rules that differ from those in `kept` without a higher version."""
        earlier = kept.get("rules", {})
        return [
            rule.file
            for name, rule in sorted(self.rules.items())
            if name in earlier and rule.sha256 != earlier[name]["sha256"] and rule.version <= earlier[name]["version"]
        ]

    def after(self, kept: StoredRules) -> StoredRules:
        """The `document` to keep: a rule that was removed stays, so that it cannot come back changed."""
        return {"version": self.version, "rules": {**kept.get("rules", {}), **self.document()["rules"]}}


UNNUMBERED: Final = FoldVersion(0, "")
"""Of a consumer that `versions.json` does not list yet; a test then fails."""


def versions() -> dict[str, FoldVersion]:
    """Consumer → its version in this release."""
    text = files("consumers.replay.fold").joinpath(FILE).read_text(encoding="utf-8")
    return {name: FoldVersion(**version) for name, version in json.loads(text).items()}


def version_of(consumer: str) -> FoldVersion:
    """The version of this consumer's fold in this release."""
    return versions().get(consumer, UNNUMBERED)
