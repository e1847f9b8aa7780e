"""What a stack keeps on disk: ports, passwords, its record, its logs, and which process a pid meant."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.data_dir import DataDir, cache_folder
from infra.embedded.processes import identity as module
from infra.embedded.processes.identity import Ending, end_all, identity_of, mark, running
from infra.embedded.processes.log_tail import log_tail, rotate
from infra.embedded.servers.ports import DRAWS_MAX, HOST, OUTGOING_FROM, Ports, choose, is_free, reachable
from infra.embedded.supervisor import end_orphans
from infra.secret_files import password
from infra.stack_record import Identity, ProcessRecord, ServiceRecord, StackRecord

SLEEP = ["sleep", "60"]
PART = {"state": "starting", "pid": None, "started": None, "restarts": 0}
RECORD = {
    "home": "/first",
    "supervisor": {"pid": 1, "started": 2.0},
    "ready": False,
    "tls": False,
    "kafka": {"port": 9092, "controller_port": 9093, **PART, "pid": 7, "started": "boot 3"},
    "processes": [
        {"name": "registrar", **PART, "pid": 8, "health_host": HOST, "health_port": None, "port": None, "halted": None},
    ],
    "brokers": {},
    "ports": {},
}


def test_a_port_is_kept_while_it_is_free_and_another_is_drawn_when_it_is_not() -> None:
    with socket.create_server((HOST, 0)) as taken:
        busy = taken.getsockname()[1]
        assert not is_free(busy)
        other, free = choose([busy, None])
        drawn, named = Ports({"port": busy, "health_port": free}), Ports({"port": 1}, {"port": busy})
        drawn.renew()
        named.renew()
    assert busy not in (other, drawn["port"])
    assert drawn["port"] != free
    assert (drawn["health_port"], named["port"]) == (free, busy), "free ones and those of a setting stay"
    assert choose([other]) == [other]


def test_chosen_ports_are_all_different_and_none_that_an_outgoing_connection_is_given() -> None:
    chosen = choose([None] * 20)
    assert len(set(chosen)) == 20
    assert max(chosen) < OUTGOING_FROM
    first, second, *_ = chosen
    draws = iter([first] * DRAWS_MAX + [first] * (DRAWS_MAX - 1) + [second])
    assert choose([None, None], lambda: next(draws)) == [first, second], "drawn twice, given once"
    assert choose([first], lambda: second, avoid=[first]) == [second]


def test_a_server_on_all_addresses_is_reached_on_loopback_and_the_cache_is_where_the_user_or_xdg_says() -> None:
    assert [reachable(host) for host in ("0.0.0.0", "", "::", "10.0.0.5")] == [HOST, HOST, "::1", "10.0.0.5"]
    assert cache_folder({"YESSER_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/yesser")


def test_a_password_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    first = password(tmp_path, "kafka-admin")
    assert len(first) >= 40
    assert password(tmp_path, "kafka-admin") == first
    assert stat.S_IMODE((tmp_path / "kafka-admin").stat().st_mode) == 0o600
    assert password(tmp_path, "kafka-platform") != first


def test_the_record_says_what_was_written_and_one_that_cannot_be_written_leaves_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = DataDir.at(tmp_path)
    kafka = ServiceRecord(port=9092, controller_port=9093, pid=7, started="boot 3")
    record = StackRecord("/first", Identity(1, 2.0), kafka=kafka, processes=[ProcessRecord("registrar", pid=8)])
    home.write_record(record)
    written = home.record.read_text("utf-8")
    assert written == json.dumps(RECORD, indent=1) + "\n"
    assert home.read_record() == record
    home.record.write_text(json.dumps({name: member for name, member in RECORD.items() if name != "brokers"}))
    assert home.read_record() == record, "as earlier releases wrote it"
    home.write_record(record)
    assert record.identities() == {"kafka": Identity(7, "boot 3")}, "a pid alone may be another's by now"

    def full(_: int) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        home.write_record(StackRecord("/second"))
    assert home.record.read_text("utf-8") == written
    assert [file.name for file in tmp_path.iterdir()] == ["stack.json"]


def test_a_process_is_the_recorded_one_not_by_its_pid_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, created = identity_of(os.getpid()), psutil.Process().create_time()
    assert mine is not None
    boot, ticks = str(mine.started).split()
    assert running(Identity(mine.pid, f"{boot} {int(ticks) - 1}")) is None
    assert running(Identity(mine.pid, f"another-boot {ticks}")) is None
    of_an_earlier_release = Identity(mine.pid, created)
    assert running(of_an_earlier_release) is not None
    assert running(Identity(mine.pid, created - 3600)) is None
    with monkeypatch.context() as corrected:
        corrected.setattr(psutil.Process, "create_time", lambda _: created + 3600)
        assert running(mine) is not None
    monkeypatch.setattr(module, "_PROC", tmp_path)
    assert identity_of(os.getpid()) == of_an_earlier_release, "the ticks since the boot are not known"
    assert running(of_an_earlier_release) is not None


def test_orphans_end_when_asked_and_are_killed_when_they_do_not() -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    deaf = [sys.executable, "-c", code]
    with (
        subprocess.Popen(SLEEP) as first,
        subprocess.Popen(SLEEP) as second,
        subprocess.Popen(deaf, stdout=subprocess.PIPE) as stubborn,
    ):
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        identities = [found for process in (first, second, stubborn) if (found := identity_of(process.pid))]
        began = time.monotonic()
        assert end_all([(identities[0], Ending(deadline_s=30))]) == 1
        assert time.monotonic() - began < 10, "its parent takes no notice of its end: it is not waited for"
        assert end_all((identity, Ending(deadline_s=0.5)) for identity in identities[1:]) == 2
        assert [running(identity) for identity in identities] == [None, None, None]


def test_a_child_that_was_never_written_down_is_ended_with_its_home_and_another_homes_is_left(tmp_path: Path) -> None:
    home, other = DataDir.at(tmp_path / "بيت of x"), DataDir.at(tmp_path / "other")
    home.create()
    mine = subprocess.Popen(SLEEP, env=os.environ | mark(home.root, "registrar"), start_new_session=True)
    started_by_a_child = subprocess.Popen(SLEEP, env=os.environ | mark(home.root, "registrar"))
    theirs = subprocess.Popen(SLEEP, env=os.environ | mark(other.root, "registrar"), start_new_session=True)
    try:
        assert end_orphans(home) == 1
        assert mine.wait(timeout=1) == -signal.SIGTERM
        assert (started_by_a_child.poll(), theirs.poll()) == (None, None)
    finally:
        for process in (mine, started_by_a_child, theirs):
            process.kill()
            process.wait()


def test_a_log_that_has_grown_is_moved_aside_and_its_last_words_are_its_last_real_line(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    for number in range(6):
        log.write_text(f"run {number}", "utf-8")
        rotate(log, size_max=3, kept=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kafka.log.1", "kafka.log.2"]
    assert (tmp_path / "kafka.log.1").read_text("utf-8") == "run 5"
    assert log_tail(log) == ""
    log.write_text("first\nbecause of this\n\n", "utf-8")
    rotate(log)
    assert log_tail(log) == "because of this"
