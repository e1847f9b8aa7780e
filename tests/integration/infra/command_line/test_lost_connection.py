"""The line to the database is cut in the middle of a command: it says so in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from infra.settings import Settings
from tests.every import every
from tests.faults.cutting import cut_line
from tests.world.processes import exit_of


@every("command", ["log size", "agencies list", "migrate"])
def test_a_command_whose_line_is_cut_says_what_to_do(
    settings: Settings,
    environment: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    port = urlsplit(str(settings.postgres)).port
    assert port is not None

    def run(line_port: int) -> int:
        through = str(settings.postgres).replace(f":{port}/", f":{line_port}/")
        for name, value in environment(YESSER_POSTGRES=through).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        return exit_of(*command.split())

    with cut_line(port) as whole:
        assert run(whole.port) == 0
    for share in (0.3, 0.6, 0.95):
        with cut_line(port, int(whole.passed * share)) as line:
            code = run(line.port)
        said = capsys.readouterr()
        assert code not in (0, 70), (share, said.out)
        (sentence,) = said.err.splitlines()
        assert sentence.startswith("yesser: PostgreSQL does not answer ("), (share, sentence)
        assert "yesser status" in sentence
