"""A phase of the set-up is one line; what its command printed is shown only where it failed."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from infra.setup_phase import Meter, run_phase
from tests.every import every
from tests.paths import ROOT

SCRIPT = ROOT / "infra" / "setup_phase.py"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(*code: str, out: io.StringIO | None = None, of_count: int | None = None) -> tuple[int, str]:
    out = out or io.StringIO()
    command = [sys.executable, "-c", "\n".join(code)]
    return run_phase("Packages", command, Meter(of_count), "Check the network.", out), out.getvalue()


def test_a_phase_that_succeeds_is_one_line_whatever_its_command_printed() -> None:
    code, text = said("import sys", "print('noise')", "print('more', file=sys.stderr)")
    assert code == 0
    assert text.startswith("Packages … done, ")
    assert text.count("\n") == 1


def test_a_phase_that_fails_shows_all_that_was_printed_and_the_remedy_and_keeps_the_exit_code() -> None:
    code, text = said("import sys", "print('first')", "print('why', file=sys.stderr)", "sys.exit(3)")
    assert code == 3
    assert [line for line in text.splitlines() if line] == [text.splitlines()[0], "first", "why", "Check the network."]
    assert text.startswith("Packages … failed, ")


def test_on_a_terminal_the_same_line_shows_the_progress() -> None:
    _, text = said("print('Kafka 4.4.0: 3/38 jars (a.jar)')", out=Terminal())
    assert "\r\033[KPackages … 3/38\r" in text
    assert text.count("\n") == 1


@every(
    ("lines", "shown"),
    [
        (["Collecting a==1", "  Downloading a-1.whl (1.2/3.4 MB)"], "1/3, a"),
        (
            ["Requirement already satisfied: a==1 in x", "Ignoring b: markers 'x' don't match your environment"],
            "2/3, b",
        ),
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


def test_pip_is_silent_until_it_fails_and_stdout_stays_free(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("no-such-package-of-ours==1.0\n")
    pip = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-index", "-r", str(lock)]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "Python packages", "--of", "1", "--remedy", "Free some space.", "--", *pip],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.startswith("Python packages … failed, ")
    assert "no-such-package-of-ours==1.0" in done.stderr
    assert done.stderr.rstrip().endswith("Free some space.")
