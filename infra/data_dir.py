"""The folders of the embedded stack: `YESSER_HOME`, and a cache shared by all stacks of a user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.errors import StackError


@dataclass(frozen=True, slots=True)
class DataDir:
    """The folders and files of one stack. `root` is absolute, so it is valid in any working folder."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> DataDir:
        return cls(path.expanduser().resolve())

    @property
    def record(self) -> Path:
        """The file of ports, process ids and states."""
        return self.root / "stack.json"

    @property
    def lock(self) -> Path:
        """The lock file that the supervisor of this home holds while it runs."""
        return self.root / "supervisor.lock"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    def create(self) -> None:
        """Create the folders; only the owner can read the passwords."""
        try:
            for folder in (self.root, self.logs, self.kafka):
                folder.mkdir(parents=True, exist_ok=True)
            self.secrets.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StackError(
                f"The folder {self.root} cannot be written ({error.strerror}): set another one in YESSER_HOME."
            ) from error


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of shared downloads: `YESSER_CACHE`, else `yesser` in the user's cache folder (XDG)."""
    if given := environment.get("YESSER_CACHE"):
        return Path(given).expanduser().resolve()
    xdg = environment.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "yesser"
