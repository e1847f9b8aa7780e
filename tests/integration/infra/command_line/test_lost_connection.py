"""The line to the database is cut in the middle of a command: it says so in one sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from infra.settings import Settings
from tests.every import every
from tests.faults.cutting import cut_line

COMMANDS = ("log size", "agencies list", "migrate")


@every("command", COMMANDS)
def test_a_command_whose_line_is_cut_says_what_to_do(
    settings: Settings, environment: Callable[..., dict[str, str]], command: str
) -> None:
    assert settings.postgres is not None
    port = urlsplit(settings.postgres).port
    assert port is not None

    def run(line_port: int) -> subprocess.CompletedProcess[str]:
        through = str(settings.postgres).replace(f":{port}/", f":{line_port}/")
        arguments = [sys.executable, "-m", "infra.cli", *command.split()]
        return subprocess.run(
            arguments, env=environment(YESSER_POSTGRES=through), capture_output=True, text=True, check=False
        )

    with cut_line(port) as whole:
        assert run(whole.port).returncode == 0
    for share in (0.3, 0.6, 0.95):
        with cut_line(port, int(whole.passed * share)) as line:
            done = run(line.port)
        assert done.returncode not in (0, 70), (share, done.stdout)
        (sentence,) = done.stderr.splitlines()
        assert sentence.startswith("yesser: PostgreSQL does not answer ("), (share, sentence)
        assert "yesser status" in sentence
