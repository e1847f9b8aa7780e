"""Runs one phase of the set-up: one line of progress, and the command's output only if it failed.

    python infra/setup/phase.py "Python packages" --of 106 --remedy "Check the network." -- pip install …

Standard library only, since it runs before anything is installed. It writes to stderr, so that stdout holds only the
output of the target (`make demo ARGS=--json`).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final, TextIO

_COUNTED: Final = re.compile(r": (\d+)/(\d+) ")
"""A command that prints its own count: `Kafka 4.4.0: 3/38 jars (…)`."""
_PIP_LOOKS_AT: Final = re.compile(r"(?:Collecting|Requirement already satisfied:|Ignoring) ([A-Za-z0-9._-]+)")
"""pip prints this once for each requirement, before it installs them all."""
_PIP_INSTALLS: Final = "Installing collected packages"
_WIDTH: Final = 79


class Meter:
    """The progress of a command, from its output."""

    def __init__(self, of_count: int | None = None) -> None:
        self._of_count = of_count
        self._seen: set[str] = set()
        self.text = ""

    def read_line(self, line: str) -> None:
        if match := _COUNTED.search(line):
            self.text = f"{match[1]}/{match[2]}"
        elif self._of_count and (match := _PIP_LOOKS_AT.match(line.strip())):
            self._seen.add(match[1])
            self.text = f"{min(len(self._seen), self._of_count)}/{self._of_count}, {match[1]}"
        elif line.startswith(_PIP_INSTALLS):
            self.text = "installing"


def run_phase(name: str, command: Sequence[str], meter: Meter, remedy: str, out: TextIO) -> int:
    """Run the command; returns its exit code. On a terminal the line is updated in place."""
    began, is_terminal, printed = time.monotonic(), out.isatty(), []
    out.write(f"{name} … ")
    out.flush()
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            meter.read_line(line)
            if is_terminal:
                out.write(f"\r\033[K{name} … {meter.text}"[: _WIDTH + len("\r\033[K")])
                out.flush()
    if is_terminal:
        out.write(f"\r\033[K{name} … ")
    seconds = time.monotonic() - began
    if process.returncode == 0:
        out.write(f"done, {seconds:.0f} s\n")
    else:
        out.write(f"failed, {seconds:.0f} s\n{''.join(printed)}\n{remedy}\n")
    return process.returncode


def main(arguments: Sequence[str]) -> int:
    """Run the phase of these arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--of", type=int, dest="of_count")
    parser.add_argument("--remedy", default="")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    try:
        return run_phase(options.name, options.command, Meter(options.of_count), options.remedy, sys.stderr)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
