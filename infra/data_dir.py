"""The folders of the embedded stack: `YESSER_HOME`, and a cache shared by all stacks of a user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from infra.errors import StackError
from infra.json_documents import members, to_json
from infra.secret_files import private_file
from infra.stack_record import StackRecord, read_record

_FORMER_SECRETS: Final = {
    "kafka-admin": "superuser/kafka",
    "kafka-controller": "superuser/kafka-controller",
    "postgres-superuser": "superuser/postgres",
    "kafka-gateway": "gateway/kafka",
    "gateway-token-key": "tokens/hash-key",
}
"""Files of earlier releases → the principal and the name that they have now."""
_FORMER_USERS: Final = ("postgres-yesser", "kafka-platform", "kafka-agency-")
"""Passwords that are of no use any more, and those of agencies, which have their own copies."""


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

    def read_record(self) -> StackRecord:
        """What runs here, or ran at last."""
        return read_record(self.record)

    def write_record(self, record: StackRecord) -> None:
        """Replace the record atomically."""
        document = {name: member for name, member in members(record).items() if member is not None}
        with private_file(self.record) as file:
            file.write(msgspec.json.format(to_json(document), indent=1) + b"\n")

    @property
    def lock(self) -> Path:
        """The lock file that the supervisor of this home holds while it runs."""
        return self.root / "supervisor.lock"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def log_key(self) -> Path:
        """The registrar's own folder: the log's key and the last signed checkpoint."""
        return self.root / "log"

    @property
    def tls(self) -> Path:
        """The folder of the private authority and its certificates (`yesser up --tls`)."""
        return self.root / "tls"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def brokers(self) -> Path:
        """The folders of the brokers beside the first. A home that has it is one of three brokers."""
        return self.root / "brokers"

    def broker(self, name: str) -> Path:
        """The folder of one broker."""
        return self.kafka if name == self.kafka.name else self.brokers / name

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    def create(self) -> None:
        """Create the folders, which only their owner may enter, and sort the passwords of an earlier release."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.secrets, self.logs, self.kafka, self.log_key):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
            self._sort_secrets()
        except OSError as error:
            raise StackError(
                f"The folder {self.root} cannot be written ({error.strerror}): set another one in YESSER_HOME."
            ) from error

    def _sort_secrets(self) -> None:
        """Earlier releases kept all passwords in one folder, those of agencies too."""
        for path in [path for path in self.secrets.iterdir() if path.is_file()]:
            if (place := _FORMER_SECRETS.get(path.name)) is not None:
                (self.secrets / place).parent.mkdir(mode=0o700, exist_ok=True)
                path.rename(self.secrets / place)
            elif path.name.startswith(_FORMER_USERS):
                path.unlink()


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of shared downloads: `YESSER_CACHE`, else `yesser` in the user's cache folder (XDG)."""
    if cache := environment.get("YESSER_CACHE"):
        return Path(cache).expanduser().resolve()
    xdg = environment.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "yesser"
