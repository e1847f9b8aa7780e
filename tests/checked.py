"""Runs the tests while the checks run: `python -m tests.checked ARGUMENTS OF PYTEST`.

What is printed is what both would print one after the other: pytest's output waits in its pipe until the checks have
passed, so that its closing line is the last one. Where a check fails, the tests are ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Final

CHECKS: Final = (os.environ.get("MAKE", "make"), "--no-print-directory", "check")
END_WITHIN_S: Final = 120.0


def main(arguments: list[str]) -> int:
    """The exit code of what failed, or 0."""
    command = [sys.executable, "-m", "pytest", f"--color={'yes' if sys.stdout.isatty() else 'auto'}", *arguments]
    # Hundreds of processes read the modules: none compiles them again, also where the user's shell asks for that.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as tests:
        checks = subprocess.run(CHECKS, stdin=subprocess.DEVNULL, check=False)
        if checks.returncode:
            _end(tests)
            return checks.returncode
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
    sys.exit(main(sys.argv[1:]))
