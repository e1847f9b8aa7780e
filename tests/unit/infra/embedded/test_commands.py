"""What `yesser up` was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.data_dir import DataDir
from infra.embedded.commands import parse_wanted
from infra.embedded.plan import Wanted
from infra.embedded.processes.signals import PROCESSES, SEPARATE, usual_parts
from infra.embedded.supervisor import is_supervised, sole_supervisor
from infra.errors import StackError
from infra.settings import Settings
from infra.stack_record import ProcessRecord, ServiceRecord, StackRecord
from tests.every import every


def test_everything_is_started_unless_parts_are_named() -> None:
    assert parse_wanted(Settings(), None, []).only == usual_parts()
    wanted = Wanted(usual_parts(cores=8))
    assert wanted.only == SEPARATE
    assert [name for name, _ in wanted.process_names()] == [
        p.name for p in PROCESSES if p.name not in ("consumers", "backup")
    ]


@every("cores", [1, 2, 4])
def test_on_few_cores_one_process_runs_all_consumers(cores: int) -> None:
    wanted = Wanted(usual_parts(cores))
    names = " ".join(name for name, _ in wanted.process_names())
    assert names == "registrar relay consumers delivery gateway console"
    assert usual_parts(cores, named=["registrar"]) == wanted.only
    assert usual_parts(cores, named=["revenue"]) == SEPARATE, "a standby of one is asked for"


def test_standbys_are_copies_with_a_number_and_what_does_not_exist_is_refused_with_what_does() -> None:
    wanted = parse_wanted(Settings(), "kafka,postgres,registrar", ["registrar=2"])
    assert wanted.process_names() == [("registrar", "registrar"), ("registrar-2", "registrar")]
    for text in ("registrar", "registrar=0", "registrar=many", "registrar=10"):
        with pytest.raises(StackError, match="registrar=2"):
            parse_wanted(Settings(), None, [text])
    with pytest.raises(StackError, match=r"no part called zookeeper: the parts are kafka, postgres, registrar"):
        parse_wanted(Settings(), "zookeeper", [])


def _record(*processes: str, tls: bool = False) -> StackRecord:
    service = ServiceRecord(port=1)
    return StackRecord(tls=tls, kafka=service, postgres=service, processes=[ProcessRecord(name) for name in processes])


@every(
    ("only", "replicas", "tls", "missing"),
    [
        ({"kafka", "registrar"}, {}, False, []),
        ({"kafka", "registrar", "gateway"}, {}, True, ["gateway", "TLS"]),
        ({"registrar"}, {"registrar": 3}, False, ["registrar-3"]),
        ({"consumers"}, {"consumers": 2}, False, ["consumers", "consumers-2"]),
    ],
)
def test_what_a_stack_lacks_is_named(only: set[str], replicas: dict[str, int], tls: bool, missing: list[str]) -> None:
    record = _record("registrar", "registrar-2", "revenue")
    assert Wanted(frozenset(only), replicas, tls=tls).missing_from(record, Settings()) == missing


def test_brokers_that_a_running_stack_lacks_are_named_unless_kafka_is_given() -> None:
    wanted = Wanted(frozenset({"kafka"}), brokers="3")
    assert wanted.missing_from(_record(), Settings()) == ["kafka-2", "kafka-3"]
    assert Wanted(frozenset({"kafka"})).missing_from(_record(), Settings(brokers="3")) == ["kafka-2", "kafka-3"]
    assert Wanted(frozenset({"kafka"})).missing_from(_record(), Settings(brokers="3", kafka="kafka:9092")) == []
    with pytest.raises(StackError, match="YESSER_KAFKA names another one"):
        parse_wanted(Settings(kafka="kafka:9092"), None, [], brokers="3")


def test_the_process_for_all_consumers_and_one_for_each_stand_for_each_other() -> None:
    few, many = Wanted(usual_parts(cores=2)), Wanted(SEPARATE)
    of_few, of_many = (_record(*(name for name, _ in wanted.process_names()), tls=True) for wanted in (few, many))
    for wanted in (few, many):
        missing = wanted.missing_from(of_few, Settings()) + wanted.missing_from(of_many, Settings())
        assert not missing, "each consumer has a row in infra/embedded/processes/signals.py"
    assert Wanted(SEPARATE, {"revenue": 2}).missing_from(of_few, Settings()) == ["revenue-2"]
    without = StackRecord(postgres=ServiceRecord(port=1))
    assert Wanted(frozenset({"kafka"})).missing_from(without, Settings()) == ["kafka"]
    assert Wanted(frozenset({"kafka"})).missing_from(without, Settings(kafka="127.0.0.1:9092")) == [], "it is given"


def test_a_home_has_one_supervisor(tmp_path: Path) -> None:
    home = DataDir.at(tmp_path)
    assert not is_supervised(home)
    with sole_supervisor(home):
        assert is_supervised(home)
        with pytest.raises(StackError, match=r"already runs .*yesser down"), sole_supervisor(home):
            pass
    assert not is_supervised(home)
