"""The three gates: `python -m tests.gate check|test|accept ARGUMENTS OF PYTEST`.

Static checks run while the tests run. What is printed is what both would print one after the other: pytest's output
waits in its pipe until the checks have passed, so that its closing lines are the last. Where a check fails, the tests
are ended. At its end a gate says how long it took, and what it leaves out.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STATIC: Final = (os.environ.get("MAKE", "make"), "--no-print-directory", "static")
END_WITHIN_S: Final = 120.0


@dataclass(frozen=True)
class Gate:
    """`minutes`: how long it may take on two cores with nothing else. `leaves_out`: what other gates run."""

    minutes: int
    leaves_out: str
    workers: int
    """One for each core where the processor is the limit; tests on services spend most of their time waiting."""
    options: tuple[str, ...]
    is_static: bool = True


WITHOUT_SERVICES: Final = ("tests/unit", "tests/contract", "tests/conformance")
GATES: Final = {
    "check": Gate(
        2,
        "tests on Kafka and PostgreSQL and in a browser (make test), long proofs (make accept)",
        2,
        ("-m", "not stack and not accept", *WITHOUT_SERVICES),
    ),
    "test": Gate(
        8,
        "long proofs: floods, growth, kill -9 at random, a template's further pages in a browser (make accept)",
        4,
        ("-m", "not accept"),
    ),
    "accept": Gate(60, "what make test runs", 3, ("-m", "accept", "--timeout=3600"), is_static=False),
}
SHARED_OUT: Final = ("--dist", "loadgroup", "--no-loadscope-reorder")


def main(name: str, *arguments: str) -> int:
    """The exit code of what failed, or 0."""
    gate, began = GATES[name], time.monotonic()
    color = f"--color={'yes' if sys.stdout.isatty() else 'auto'}"
    pytest = (sys.executable, "-m", "pytest", color)
    # Services that the environment names are for one test at a time.
    workers = "0" if "YESSER_KAFKA" in os.environ else str(gate.workers)
    code = run([*pytest, *gate.options, "-n", workers, *SHARED_OUT, *arguments], STATIC if gate.is_static else None)
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    took = f"{minutes}:{seconds:02} (goal on two cores: {gate.minutes}:00)"
    sys.stdout.write(f"make {name}: {took}. Left out: {gate.leaves_out}.\n")
    return code


def run(command: Sequence[str], checks: Sequence[str] | None) -> int:
    """Run the tests beside the checks, and return the exit code of what failed, or 0."""
    # A shell that starts a gate in the background lets it ignore SIGINT, and the tests would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Hundreds of processes read the modules: none compiles them again, also where the user's shell asks for that.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as tests:
        if checks is not None and (code := subprocess.run(checks, stdin=subprocess.DEVNULL, check=False).returncode):
            _end(tests)
            return code
        assert tests.stdout is not None
        while chunk := os.read(tests.stdout.fileno(), 65_536):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    return tests.returncode


def _end(tests: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C would, so that the services that were started are ended too."""
    tests.send_signal(signal.SIGINT)
    try:
        tests.communicate(timeout=END_WITHIN_S)
    except subprocess.TimeoutExpired:
        tests.kill()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
