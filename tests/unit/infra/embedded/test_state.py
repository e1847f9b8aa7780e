"""What a stack keeps on disk: ports, passwords, its record, its logs, and which process a pid meant."""

from __future__ import annotations

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
from infra.embedded.processes import record as stack_record
from infra.embedded.processes.identity import Ending, Identity, end_all, identity_of, mark, recorded_identities, running
from infra.embedded.processes.log_tail import log_tail, rotate
from infra.embedded.processes.record import ProcessRecord, StackRecord
from infra.embedded.servers.ports import DRAWS_MAX, HOST, OUTGOING_FROM, Ports, choose, is_free, reachable
from infra.embedded.supervisor import end_orphans
from infra.secret_files import password
from tests.every import every

SLEEP = ["sleep", "60"]


def test_a_port_is_kept_while_it_is_free_and_another_is_taken_when_it_is_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        assert not is_free(busy)
        (other,) = choose([busy])
        assert other != busy
    assert choose([other]) == [other]


def test_chosen_ports_are_all_different_and_none_that_an_outgoing_connection_is_given() -> None:
    chosen = choose([None] * 20)
    assert len(set(chosen)) == 20
    assert max(chosen) < OUTGOING_FROM


def test_a_port_that_is_drawn_twice_is_given_once() -> None:
    first, second = choose([None, None])
    draws = iter([first] * DRAWS_MAX + [first] * (DRAWS_MAX - 1) + [second])
    assert choose([None, None], lambda: next(draws)) == [first, second]
    assert choose([first], lambda: second, avoid=[first]) == [second]


@every(("host", "reached"), [("0.0.0.0", HOST), ("", HOST), ("::", "::1"), ("10.0.0.5", "10.0.0.5")])
def test_a_server_on_all_addresses_is_reached_on_loopback(host: str, reached: str) -> None:
    assert reachable(host) == reached


def test_ports_that_are_taken_meanwhile_are_drawn_anew_and_free_ones_and_those_of_a_setting_stay() -> None:
    with socket.create_server((HOST, 0)) as taken:
        free, busy = choose([None])[0], taken.getsockname()[1]
        drawn, named = Ports({"port": busy, "health_port": free}), Ports({"port": 1}, {"port": busy})
        drawn.renew()
        named.renew()
    assert drawn["port"] not in (busy, free)
    assert (drawn["health_port"], named["port"]) == (free, busy)


def test_a_password_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    first = password(tmp_path, "kafka-admin")
    assert len(first) >= 40
    assert password(tmp_path, "kafka-admin") == first
    assert stat.S_IMODE((tmp_path / "kafka-admin").stat().st_mode) == 0o600
    assert password(tmp_path, "kafka-platform") != first


def test_the_cache_is_where_the_user_says_else_where_xdg_says() -> None:
    assert cache_folder({"YESSER_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/yesser")


def test_the_record_says_what_was_written_and_leaves_out_what_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    stack_record.write(path, StackRecord("/home", Identity(1, 2.0), kafka={"port": 9092, "pid": 7, "started": 3.0}))
    document = stack_record.read(path)
    assert document["kafka"]["port"] == 9092
    assert "postgres" not in document
    assert recorded_identities(document) == {"kafka": Identity(7, 3.0)}


def test_a_record_that_cannot_be_written_leaves_the_last_one_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stack.json"
    stack_record.write(path, StackRecord("/first", None))

    def full(_: int) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        stack_record.write(path, StackRecord("/second", None))
    assert stack_record.read(path)["home"] == "/first"
    assert [file.name for file in tmp_path.iterdir()] == ["stack.json"]


@every("damaged", [b"", b"{", b"\xff", b"null"])
def test_a_damaged_record_is_as_good_as_none(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "stack.json").write_bytes(damaged)
    assert stack_record.read(tmp_path / "stack.json") == {}


def test_a_process_without_a_pid_is_nobody_to_end() -> None:
    record = StackRecord("/home", None, processes=[ProcessRecord("registrar")])
    assert recorded_identities(record.document()) == {}


def test_a_pid_that_was_given_to_another_process_is_not_the_recorded_one() -> None:
    mine = identity_of(os.getpid())
    assert mine is not None
    assert running(mine) is not None
    boot, ticks = str(mine.started).split()
    assert running(Identity(mine.pid, f"{boot} {int(ticks) - 1}")) is None
    assert running(Identity(mine.pid, f"another-boot {ticks}")) is None


def test_a_process_is_the_recorded_one_also_after_a_correction_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, created = identity_of(os.getpid()), psutil.Process.create_time
    assert mine is not None
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: created(process) + 3600)
    assert running(mine) is not None


def test_where_the_ticks_since_the_boot_are_not_known_the_time_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PROC", tmp_path)
    mine = identity_of(os.getpid())
    assert mine == Identity(os.getpid(), psutil.Process().create_time())
    assert running(mine) is not None
    monkeypatch.undo()
    assert running(mine) is not None, "a record of an earlier release"
    assert running(Identity(mine.pid, psutil.Process().create_time() - 3600)) is None


def test_orphans_end_when_asked_and_are_killed_when_they_do_not() -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    deaf = [sys.executable, "-c", code]
    with subprocess.Popen(SLEEP) as polite, subprocess.Popen(deaf, stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        identities = [identity_of(process.pid) for process in (polite, stubborn)]
        assert end_all((identity, Ending(deadline_s=0.5)) for identity in identities if identity) == 2
        assert not any(identity and running(identity) for identity in identities)


def test_a_process_whose_parent_takes_no_notice_of_its_end_is_not_waited_for() -> None:
    with subprocess.Popen(SLEEP) as child:
        identity = identity_of(child.pid)
        assert identity is not None
        began = time.monotonic()
        assert end_all([(identity, Ending(deadline_s=30))]) == 1
        assert time.monotonic() - began < 10


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


def test_a_log_that_has_grown_is_moved_aside_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    for number in range(6):
        log.write_text(f"run {number}", "utf-8")
        rotate(log, size_max=3, kept=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kafka.log.1", "kafka.log.2"]
    assert (tmp_path / "kafka.log.1").read_text("utf-8") == "run 5"
    log.write_text("small", "utf-8")
    rotate(log)
    assert log.exists()


def test_the_last_words_are_the_last_line_that_says_something(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    log.write_text("first\nbecause of this\n\n", "utf-8")
    assert log_tail(log) == "because of this"
    assert log_tail(tmp_path / "absent.log") == ""
