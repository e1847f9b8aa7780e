"""A phase of the set-up is one line; what its command printed is shown only where it failed."""

from __future__ import annotations

import io
import subprocess
import sys

from infra.setup.phase import Meter, run_phase
from tests.every import every
from tests.paths import ROOT

SCRIPT = ROOT / "infra" / "setup" / "phase.py"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(code: str, out: io.StringIO) -> str:
    assert run_phase("Packages", [sys.executable, "-c", code], Meter(None), "Check the network.", out) == 0
    return out.getvalue()


def test_a_phase_that_succeeds_is_one_line_which_on_a_terminal_shows_the_progress() -> None:
    silent = said("import sys; print('noise'); print('more', file=sys.stderr)", io.StringIO())
    shown = said("print('Kafka 4.4.0: 3/38 jars (a.jar)')", Terminal())
    assert silent.startswith("Packages … done, ")
    assert "\r\033[KPackages … 3/38\r" in shown
    assert (silent.count("\n"), shown.count("\n")) == (1, 1)


@every(
    ("lines", "shown"),
    [
        (["Collecting a==1", "  Downloading a-1.whl (1.2/3.4 MB)"], "1/3, a"),
        (["Requirement already satisfied: a==1 in x", "Ignoring b: markers 'x' don't match the machine"], "2/3, b"),
        (["Collecting a==1", "Collecting a==1 (from b)"], "1/3, a"),
        (["Collecting a==1", "Installing collected packages: a"], "installing"),
        (["noise"], ""),
    ],
)
def test_the_progress_of_pip_is_counted_by_requirement(lines: list[str], shown: str) -> None:
    meter = Meter(3)
    for line in lines:
        meter.read_line(line)
    assert meter.text == shown


def test_a_phase_that_fails_shows_all_that_was_printed_and_the_remedy_and_keeps_the_exit_code() -> None:
    failing = "import sys; print('first', flush=True); print('why', file=sys.stderr); sys.exit(3)"
    arguments = ["Packages", "--of", "1", "--remedy", "Check the network.", "--", sys.executable, "-c", failing]
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, ""), "stdout stays free"
    first, *rest = [line for line in done.stderr.splitlines() if line]
    assert first.startswith("Packages … failed, ")
    assert rest == ["first", "why", "Check the network."]
