"""How real commands end where nothing runs: 75 where the same command may be run again, 2 for a wrong setting."""

from __future__ import annotations

import subprocess
import sys

import pytest

NOWHERE = {"YESSER_POSTGRES": "postgresql://yesser@127.0.0.1:9/yesser", "YESSER_KAFKA": "127.0.0.1:9"}


def yesser(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/bin", **environment})


def test_a_wait_that_runs_out_of_time_may_be_repeated() -> None:
    done = yesser("wait", "--timeout", "0.3", YESSER_HOME="/nonexistent", **NOWHERE)
    assert done.returncode == 75
    assert "not within 0.3 s" in done.stderr


@pytest.mark.parametrize("arguments", [("plan",), ("log", "size"), ("refusals", "list"), ("wait", "--timeout", "1")])
def test_without_services_a_command_says_how_to_start_them_and_may_be_repeated(arguments: tuple[str, ...]) -> None:
    done = yesser(*arguments, YESSER_HOME="/nonexistent")
    assert done.returncode == 75
    assert "yesser up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_wrong_use() -> None:
    done = yesser("log", "size", YESSER_LEASE_MS="soon")
    assert done.returncode == 2
    assert "lease_ms" in done.stderr.lower()
