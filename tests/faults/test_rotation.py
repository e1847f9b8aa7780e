"""Every secret is replaced under load: nothing is lost or doubled, and no process is started again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from infra.principals import KAFKA_PRINCIPALS, PRINCIPALS
from tests.gateway_access import grant_access
from tests.scenarios.figures import tell
from tests.scenarios.judge import judge
from tests.scenarios.system import System, fresh_system
from tests.world.stacks import Load, require_no_loss

pytestmark = [pytest.mark.stack, pytest.mark.accept, pytest.mark.alone]

ROTATED = "rotated"
"""An agency of this module alone."""

KEYS = (
    ("keys", "rotate", "log"),
    ("keys", "rotate", "gateway"),
    ("keys", "rotate", "tokens"),
    ("keys", "rotate", "console"),
    ("keys", "rotate", "accounts"),
    ("webhooks", "rotate-key"),
    ("teams", "rotate-key"),
)
SESSION_S = 5
EVENTS_PER_S = 500
QUIET_S = 4 * SESSION_S
"""Kafka ends every session within this time, and the processes have logged in with the new passwords."""


@dataclass
class Rotator:
    """Runs commands that rotate secrets. So many `kills` of the passwords' rotation are killed before it ends."""

    system: System
    kills: int
    quiet_s: float
    done: list[str] = field(default_factory=list)

    def run(self, until_it_goes_on: Callable[[], None]) -> None:
        until_it_goes_on()
        random = Random(f"rotate/{self.kills}")
        for _ in range(self.kills):
            process = self.system.start("keys", "rotate-passwords", "--end-sessions")
            time.sleep(random.uniform(1.0, 3.5))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            until_it_goes_on()
        replaced = self.system.run("keys", "rotate-passwords", "--end-sessions")["replaced"]
        assert len(replaced) == len(PRINCIPALS) + len(KAFKA_PRINCIPALS)
        until_it_goes_on()
        for words in KEYS:
            self.done.append(self.system.run(*words)["state"])
            until_it_goes_on()
        time.sleep(self.quiet_s)
        until_it_goes_on()


def secrets_of(system: System) -> dict[str, str]:
    folder = system.settings.secrets_folder
    files = [folder / name / service for name in PRINCIPALS for service in ("postgres", "kafka")]
    files += [folder / "tokens" / "hash-key", folder / "console-tokens" / "key", folder / "accounts" / "key"]
    files += [folder / "delivery" / "endpoint-key", folder / "teams" / "key"]
    files += [system.home / "log" / "log.skey", system.home / "gateway" / "gateway.skey"]
    return {str(path): path.read_text("ascii") for path in files if path.exists()}


def pids(system: System) -> dict[str, int | None]:
    return {name: part["pid"] for name, part in system.parts().items()}


def rotate_under_load(system: System, rotator: Rotator) -> float:
    """Returns the events per second that were stored meanwhile."""
    access = grant_access(system, ROTATED)
    before, running, load, began = secrets_of(system), pids(system), Load(ROTATED), time.monotonic()
    asyncio.run(load.send(access, rotator.run))
    elapsed_s = time.monotonic() - began
    system.settle()
    asyncio.run(require_no_loss(system.settings, load))
    after = secrets_of(system)
    assert [path for path, secret in before.items() if after[path] == secret] == []
    assert list(system.settings.secrets_folder.rglob("*.next")) == []
    assert set(rotator.done) == {"rotated"}
    assert pids(system) == running, "no process ended"
    tell(f"{len(load.sent)} events in {elapsed_s:.0f} s while every secret was replaced")
    return len(load.sent) / elapsed_s


def test_secrets_are_replaced_at_500_events_a_second_though_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_KAFKA_SESSION_S", str(SESSION_S))
    with fresh_system() as system:
        rate = rotate_under_load(system, Rotator(system, kills=6, quiet_s=QUIET_S))
        judge(system).require_clean()
    assert rate >= EVENTS_PER_S
