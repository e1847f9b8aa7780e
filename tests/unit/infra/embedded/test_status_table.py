"""What people see of the stack's state."""

from __future__ import annotations

from io import StringIO

import orjson
from rich.console import Console

from consumers.pipeline.host import combined
from infra.embedded.status import StackStatus
from infra.embedded.status_table import print_status
from infra.log.older_copy import older_copy
from infra.process.health import Readiness

HOME = "/srv/yesser"
PART = {"state": "ready", "pid": 1, "port": 2, "restarts": 0}


def test_a_paused_topic_is_named_with_its_reason_in_both_languages() -> None:
    paused = {"agency.health.events": {"until": "2030-01-01T00:00:00+00:00", "en": "noise", "ar": "ضجيج"}}
    written = StringIO()
    status = StackStatus("var", True, True, PART, PART, [], paused)
    print_status(status, Console(file=written, width=200))
    assert "agency.health.events is paused until 2030-01-01T00:00:00+00:00: noise." in written.getvalue()
    assert "ضجيج" in written.getvalue()
    assert orjson.loads(orjson.dumps(status))["paused"] == paused


def test_a_consumer_that_rebuilds_its_rows_is_named_with_its_progress() -> None:
    process = PART | {"name": "revenue", "health_port": 3, "log": "var/logs/revenue.log"}
    status = StackStatus("var", True, True, PART, PART, [process])
    answered = status.with_answers({"revenue": {"lag": 7, "rebuilding": {"revenue": {"entries": 8192, "of": 20_000}}}})
    written = StringIO()
    print_status(answered, Console(file=written, width=200))
    assert "revenue rebuilds its rows from the log: 8,192 of 20,000 entries." in written.getvalue()


def test_the_session_that_a_consumer_waits_for_is_named() -> None:
    process = PART | {"name": "revenue", "health_port": 3, "log": "var/logs/revenue.log"}
    status = StackStatus("var", True, True, PART, PART, [process])
    answered = status.with_answers({"revenue": {"lag": 7, "held_by": {"revenue": "yesser rebuild revenue"}}})
    written = StringIO()
    print_status(answered, Console(file=written, width=200))
    assert "revenue waits for a session of the database: yesser rebuild revenue." in written.getvalue()


def test_an_older_copy_of_the_database_is_one_halt_with_one_remedy() -> None:
    halts = {
        "registrar": older_copy("a checkpoint of size 9 was signed", 7),
        "relay": older_copy("yesser.log holds index 8", 7),
        "consumers": combined(
            {
                name: Readiness(False, {"role": "active", "halted": older_copy("the log's topic holds index 7", 7)})
                for name in ("campaigns", "revenue")
            }
        ).details["halted"],
        "delivery": "no secret",
    }
    processes = [PART | {"name": name, "health_port": 3, "halted": reason} for name, reason in halts.items()]
    written = StringIO()
    print_status(StackStatus("var", True, False, PART, PART, processes), Console(file=written, width=200))
    said = [line for line in written.getvalue().splitlines() if " halted: " in line]
    assert said == [
        "registrar, relay, consumers halted: a checkpoint of size 9 was signed, but the database holds 7 entries only"
        " (an older copy?); run `yesser recover`.",
        "delivery halted: no secret.",
    ]


def test_decisions_that_wait_for_a_person_are_counted() -> None:
    relay = PART | {"name": "relay", "health_port": 3, "log": "var/logs/relay.log"}
    status = StackStatus("var", True, True, PART, PART, [relay])
    written = StringIO()
    print_status(status.with_answers({"relay": {"decisions_held": 2}}), Console(file=written, width=200))
    assert "wait for a person after the recovery: 2 (`yesser decisions list`)." in written.getvalue()


def test_another_halt_beside_it_is_not_hidden() -> None:
    behind, other = older_copy("the log's topic holds index 7", 7), "a rule says something else"
    consumers = {"campaigns": other, "revenue": behind}
    found = combined({n: Readiness(False, {"role": "active", "halted": r}) for n, r in consumers.items()})
    assert found.details["halted"] == f"{behind}; campaigns: {other}"
    processes = [PART | {"name": "registrar", "health_port": 3, "halted": behind}]
    processes += [PART | {"name": "consumers", "health_port": 3, "halted": found.details["halted"]}]
    written = StringIO()
    print_status(StackStatus("var", True, False, PART, PART, processes), Console(file=written, width=200))
    assert f"consumers halted: {behind}; campaigns: {other}." in written.getvalue().splitlines()


def test_the_metrics_of_each_process_are_a_target_by_its_name() -> None:
    processes = [PART | {"name": name, "health_port": port} for name, port in (("registrar", 7), ("registrar-2", None))]
    status = StackStatus("var", True, True, PART, PART, processes)
    assert status.targets() == [{"targets": ["127.0.0.1:7"], "labels": {"instance": "registrar"}}]


def test_the_metrics_are_where_the_processes_serve_them() -> None:
    processes = [PART | {"name": host, "health_host": host, "health_port": 7} for host in ("10.0.0.5", "::1")]
    targets = StackStatus("var", True, True, PART, PART, processes).targets()
    assert [target["targets"] for target in targets] == [["10.0.0.5:7"], ["[::1]:7"]]


def test_the_table_fits_80_columns_and_cuts_nothing() -> None:
    part = {"state": "unreachable", "pid": 4_194_304, "restarts": 12}
    process = part | {
        "name": "event-index",
        "health_port": 32_767,
        "lag": 12_345_678,
        "log": f"{HOME}/logs/event-index.log",
    }
    written = StringIO()
    service = part | {"port": 20_000, "log": f"{HOME}/logs/kafka.log"}
    print_status(StackStatus(HOME, True, False, service, service, [process]), Console(file=written, width=80))
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    (line,) = (line for line in lines if line.startswith("event-index"))
    assert line.split() == ["event-index", "unreachable", "12345678", "4194304", "32767", "12", "logs/event-index.log"]
    assert "yesser logs PART" in lines[-1]


def test_without_a_stack_of_its_own_the_table_shows_what_the_database_knows() -> None:
    given = PART | {"state": "given", "port": None}
    rows = [{"name": "consumer.revenue", "owner": "a", "held": False, "lag": 7, "halted_reason": "the log was changed"}]
    written = StringIO()
    print_status(StackStatus(HOME, False, False, given, given, []).with_leases(rows), Console(file=written, width=80))
    lines = written.getvalue().splitlines()
    assert next(line.split() for line in lines if line.startswith("revenue")) == ["revenue", "halted", "7"]
    assert "revenue halted: the log was changed." in lines
    assert "No stack was started here" in lines[-1]
    assert not any("yesser up" in line for line in lines)


def test_halts_and_machines_are_named_and_the_last_line_says_what_the_database_does_not_know() -> None:
    given = PART | {"state": "given", "port": None}
    registrar = {"name": "registrar", "owner": "a", "held": False, "lag": None, "halted_reason": "no place is left"}
    relay = registrar | {"name": "relay", "owner": "second-4f", "held": True, "halted_reason": None}
    written = StringIO()
    status = StackStatus(HOME, False, False, given, given, []).with_leases(
        [registrar, relay], {"agency.health.events": "its tail was lost"}
    )
    print_status(status, Console(file=written, width=80))
    *lines, last = written.getvalue().splitlines()
    assert "registrar halted: no place is left." in lines
    assert "relay is active on second-4f." in lines
    assert "agency.health.events halted: its tail was lost." in lines
    assert "gateway and the console see `docker compose logs` and `/readyz`" in last


def test_what_stands_by_names_who_is_active_and_what_halted_is_not_ready() -> None:
    processes = [PART | {"name": name, "health_port": 3, "log": None} for name in ("registrar", "relay")]
    status = StackStatus(HOME, True, True, PART, PART, processes).with_answers(
        {
            "registrar": {"role": "active", "halted": "agency.health.events is halted: its tail was lost"},
            "relay": {"role": "standby", "owner": "second-4f"},
        }
    )
    written = StringIO()
    print_status(status, Console(file=written, width=200))
    assert (status.ready, status.processes[0]["state"]) == (False, "halted")
    assert "registrar halted: agency.health.events is halted: its tail was lost." in written.getvalue()
    assert "relay stands by: second-4f is active." in written.getvalue()
