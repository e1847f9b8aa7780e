"""What people see of the stack's state."""

from __future__ import annotations

from io import StringIO
from typing import Any

from msgspec import structs
from rich.console import Console

from consumers.replay.pipeline.pipeline import combined
from infra.embedded.health import Readyz
from infra.embedded.servers.ports import HOST
from infra.embedded.status import Lease, OtherService, ProcessStatus, ServiceStatus, StackStatus, Target
from infra.embedded.status_table import print_status
from infra.errors import older_copy
from infra.process.health import Readiness
from tests.every import every

SERVICE = ServiceStatus(2, 0, 1, "ready", "/srv/yesser/logs/kafka.log")
GIVEN = OtherService(state="given")


def printed(status: StackStatus, width: int = 200) -> str:
    written = StringIO()
    print_status(status, Console(file=written, width=width))
    return written.getvalue()


def stack(*processes: ProcessStatus, ready: bool = True, **more: Any) -> StackStatus:
    return StackStatus("/srv/yesser", True, ready, SERVICE, SERVICE, processes, **more)


def part(name: str, **more: Any) -> ProcessStatus:
    return structs.replace(ProcessStatus(name, 1, "ready", 0, HOST, 3, f"/srv/yesser/logs/{name}.log"), **more)


def test_a_paused_topic_is_named_with_its_reason_in_both_languages_and_what_halted_is_not_ready() -> None:
    paused = {"agency.health.events": {"until": "2030-01-01T00:00:00+00:00", "en": "noise", "ar": "ضجيج"}}
    status = stack(part("registrar"), paused=paused)
    text = printed(status)
    assert "agency.health.events is paused until 2030-01-01T00:00:00+00:00: noise." in text
    assert "ضجيج" in text
    halted = "agency.health.events is halted: its tail was lost"
    status = status.with_answers({"registrar": Readyz(role="active", halted=halted)})
    assert (status.ready, status.processes[0].state) == (False, "halted")
    assert f"registrar halted: {halted}." in printed(status)


@every(
    ("name", "answer", "sentence"),
    [
        (
            "revenue",
            Readyz(lag=7, rebuilding={"revenue": {"entries": 8192, "of": 20_000}}),
            "revenue rebuilds its rows from the log: 8,192 of 20,000 entries.",
        ),
        (
            "revenue",
            Readyz(lag=7, held_by={"revenue": "yesser rebuild revenue"}),
            "revenue waits for a session of the database: yesser rebuild revenue.",
        ),
        ("relay", Readyz(decisions_held=2), "wait for a person after the recovery: 2 (`yesser decisions list`)."),
        ("relay", Readyz(role="standby", owner="second-4f"), "relay stands by: second-4f is active."),
    ],
)
def test_what_a_process_answers_is_said_in_a_sentence(name: str, answer: Readyz, sentence: str) -> None:
    assert sentence in printed(stack(part(name)).with_answers({name: answer}))


def _halt(**reasons: str) -> str:
    """What the process for all consumers says of the halts of some."""
    answers = {name: Readiness(False, {"role": "active", "halted": reason}) for name, reason in reasons.items()}
    return str(combined(answers).details["halted"])


def test_an_older_copy_of_the_database_is_one_halt_with_one_remedy_and_hides_no_other() -> None:
    topic = older_copy("the log's topic holds index 7", 7)
    halts = {
        "registrar": older_copy("a checkpoint of size 9 was signed", 7),
        "relay": older_copy("yesser.log holds index 8", 7),
        "consumers": _halt(campaigns=topic, revenue=topic),
        "delivery": "no secret",
    }
    text = printed(stack(*(part(name, halted=reason) for name, reason in halts.items()), ready=False))
    said = [line for line in text.splitlines() if " halted: " in line]
    assert said == [
        "registrar, relay, consumers halted: a checkpoint of size 9 was signed, but the database holds 7 entries only"
        " (an older copy?); run `yesser recover`.",
        "delivery halted: no secret.",
    ]
    both = _halt(campaigns="a rule says something else", revenue=topic)
    assert both == f"{topic}; campaigns: a rule says something else"
    text = printed(stack(part("registrar", halted=topic), part("consumers", halted=both), ready=False))
    assert f"consumers halted: {both}." in text.splitlines()


def test_the_metrics_of_each_process_are_a_target_where_it_serves_them() -> None:
    status = stack(part("registrar", health_port=7), part("registrar-2", health_port=None))
    assert status.targets() == [Target(["127.0.0.1:7"], {"instance": "registrar"})]
    elsewhere = stack(*(part(host, health_host=host, health_port=7) for host in ("10.0.0.5", "::1"))).targets()
    assert [target.targets for target in elsewhere] == [["10.0.0.5:7"], ["[::1]:7"]]


def test_the_table_fits_80_columns_and_cuts_nothing() -> None:
    wide = {"state": "unreachable", "pid": 4_194_304, "restarts": 12}
    process = part("event-index", **wide, health_port=32_767, lag=12_345_678)
    lines = printed(stack(process, ready=False), 80).splitlines()
    assert max(map(len, lines)) <= 80
    (line,) = (line for line in lines if line.startswith("event-index"))
    assert line.split() == ["event-index", "unreachable", "12345678", "4194304", "32767", "12", "logs/event-index.log"]
    assert "yesser logs PART" in lines[-1]


def test_without_a_stack_of_its_own_the_table_shows_what_the_database_knows() -> None:
    halted = Lease("consumer.revenue", "a", held=False, lag=7, halted_reason="the log was changed")
    relay = Lease("relay", "second-4f", held=True)
    status = StackStatus("/srv/yesser", False, False, GIVEN, GIVEN, [])
    status = status.with_leases([halted, relay], {"agency.health.events": "its tail was lost"})
    *lines, last = printed(status, 80).splitlines()
    assert next(line.split() for line in lines if line.startswith("revenue")) == ["revenue", "halted", "7"]
    assert "revenue halted: the log was changed." in lines
    assert "relay is active on second-4f." in lines
    assert "agency.health.events halted: its tail was lost." in lines
    assert "No stack was started here" in last
    assert "gateway and the console see their logs and `/readyz`" in last
    assert not any("yesser up" in line for line in (*lines, last))
