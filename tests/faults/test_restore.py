"""PostgreSQL comes back from an older copy: the registrar halts and signs nothing, `yesser recover` brings all back."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from consumers.programme.campaigns.rules.in_force import rules_in_force
from infra.backup.catalogue import BackupFolder
from infra.embedded.processes.signals import usual_parts
from tests.faults.services import keep_copy, put_copy_back, until_back
from tests.oracle.history import MIXED, History, generate
from tests.paths import ROOT
from tests.scenarios.figures import tell
from tests.scenarios.judge import Judgement, judge, read_log
from tests.scenarios.load import differences, publish_all, register
from tests.scenarios.system import System, fresh_system, own_folder, running_system, until
from tests.world.stacks import require_halt

pytestmark = [pytest.mark.stack, pytest.mark.accept]

RULES = ROOT / "consumers" / "programme" / "campaigns" / "rules"


def parts(history: History, first: int) -> tuple[History, History]:
    """The first `first` lines of every agency, and the rest; their expected counts stay with neither."""
    early = History(history.seed, history.agencies, {code: lines[:first] for code, lines in history.lines.items()})
    late = History(history.seed, history.agencies, {code: lines[first:] for code, lines in history.lines.items()})
    return early, late


def live_through_a_loss(system: System, folder: Path) -> str:
    """A copy is kept; much is published after it, by a new agency too; the copy is put back. Returns the lost root."""
    history = generate(60, 40_000, MIXED)
    early, late = parts(history, 1_000)
    *known, newest = history.agencies
    system.add_agencies((agency.code, agency.role) for agency in known if agency.code != "yesser")
    del early.lines[newest.code]
    publish_all(system, early, folder / "early")
    system.settle()
    keep_copy(system, folder / "copy")
    system.until_all_ready()
    register(system, history)
    late.lines[newest.code] = history.lines[newest.code]
    publish_all(system, late, folder / "late")
    before = judge(system)
    before.require_clean()
    put_copy_back(system, folder / "copy")
    tell(f"restored: {system.ask('log', 'size')['size']} of {before.size} entries are left")
    return before.root


def require_one_halt(system: System) -> None:
    """What stands still does so for one reason, with one remedy; nobody deletes what is needed for it."""
    until(lambda: "halted" in system.readiness("relay")[1], 60, "the relay does not halt")
    with system.start("status") as status:
        output, _ = status.communicate(timeout=180)
    (halt,) = [line for line in output.decode().splitlines() if " halted: " in line]
    names, _, reason = halt.partition(" halted: ")
    assert {"registrar", "relay"} <= set(names.split(", "))
    assert "yesser recover" in reason
    with system.start("topics", "delete", system.settings.log_topic, "--yes") as refused:
        _, words = refused.communicate(timeout=180)
    assert refused.returncode == 1
    assert b"is not deleted: it holds entries" in words


def go_on(system: System, folder: Path) -> None:
    """After the recovery everything works as ever, and the log goes on."""
    system.until_all_ready()
    judge(system).require_clean()
    history = generate(61, 3_000, MIXED)
    for code in history.lines:
        history.lines[code] = [line.replace(b'"id": "', b'"id": "again-') for line in history.lines[code]]
    publish_all(system, history, folder / "after")
    judge(system).require_clean()


def test_what_a_restored_database_lacks_comes_back_from_the_log_topic(tmp_path: Path) -> None:
    with fresh_system() as system:
        root = live_through_a_loss(system, tmp_path)
        require_halt(system)
        recovered = system.run("recover")
        assert recovered["root"] == root
        tell(f"recovered {recovered['size'] - recovered['size_before']} entries from the log's topic: the same root")
        go_on(system, tmp_path)


@pytest.fixture
def home() -> Iterator[Path]:
    with own_folder() as folder:
        yield folder


def published_after_a_copy(system: System, history: History, folder: Path) -> Judgement:
    """A copy is kept before anything is published; what the system says afterwards."""
    register(system, history)
    keep_copy(system, folder / "copy")
    system.until_all_ready()
    assert differences(publish_all(system, history, folder / "files"), history) == []
    return judge(system)


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The release's rules in a folder of the deployment, from which commands in this process read them too."""
    copied = tmp_path / "rules"
    shutil.copytree(RULES, copied, ignore=lambda _, names: [name for name in names if not name.endswith(".yaml")])
    monkeypatch.setenv("YESSER_CAMPAIGN_RULES", str(copied))
    rules_in_force.cache_clear()
    yield copied
    monkeypatch.undo()
    rules_in_force.cache_clear()


def test_rules_that_are_newer_than_the_copy_decide_nothing_again(home: Path, tmp_path: Path, rules: Path) -> None:
    history = generate(65, 2_000, MIXED)
    with running_system(home) as system:
        before = published_after_a_copy(system, history, tmp_path)
        before.require_clean()
        put_copy_back(system, tmp_path / "copy")
        require_halt(system)
        for rule in rules.iterdir():
            text = rule.read_text("utf-8")
            rule.write_text(text.replace("version: 1", "version: 2", 1).replace('en: "', 'en: "Newer: ', 1), "utf-8")
        assert system.run("recover")["root"] == before.root
        for part in ("campaigns", "delivery", "relay"):  # they read the rules when they start
            pid = system.signal(part, signal.SIGKILL)
            until_back(system, part, pid)
        system.until_all_ready()
        system.settle()
        raw = asyncio.run(read_log(system.settings))[before.size :]
        assert [line for line in raw if b"campaign.triggered" in line or b"registrar.refused" in line] == []
        assert system.ask("decisions", "list") == []


@pytest.mark.timeout(900)
def test_a_destroyed_database_is_restored_at_a_time_and_at_its_end(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of docs/backup.md. What was acknowledged is there again: at a time by `yesser recover`, at the end
    of the WAL without it."""
    early, late = parts(history := generate(64, 1_000, MIXED), 100)
    with own_folder() as place:
        folder = BackupFolder(place / "backups")
        monkeypatch.setenv("YESSER_BACKUP", str(folder.root))
        with running_system(home, only=usual_parts(cores=1) | {"backup"}) as system:
            register(system, history)
            publish_all(system, early, tmp_path / "early")
            system.settle()
            system.run("backup", "create", str(folder.root), "--incremental")
            size, to = system.ask("log", "size")["size"], datetime.now(UTC)
            publish_all(system, late, tmp_path / "late")
            before = judge(system)
            before.require_clean()
            until(partial(is_received, folder, datetime.now(UTC)), 60, "the WAL is not received")
        monkeypatch.delenv("YESSER_BACKUP")
        try:
            restore(system, folder, "--to", to.isoformat())
            halted = {part["name"]: part for part in system.run("up", "--detach", exits=(1,))["processes"]}
            assert "yesser recover" in halted["registrar"]["halted"]
            require_one_halt(system)
            assert size <= system.ask("log", "size")["size"] < before.size
            assert system.run("recover")["root"] == before.root
            system.until_all_ready()
            system.run("down")
            restore(system, folder, "--from", folder.backups()[0].name)
            system.run("up", "--detach")
            after = judge(system)
            after.require_clean()
            assert after.root == before.root
            assert system.ask("decisions", "list") == []
        finally:
            system.run("down")


def is_received(folder: BackupFolder, since: datetime) -> bool:
    """Whether WAL was received since then: leases are renewed each second."""
    until = folder.wal_until(1)
    return until is not None and until > since


def restore(system: System, folder: BackupFolder, *options: str) -> None:
    """The database is destroyed, and restored."""
    shutil.rmtree(system.home / "postgres")
    assert system.run("restore", str(folder.root), *options)["keys"]
