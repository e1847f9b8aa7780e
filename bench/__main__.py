"""`make bench`: the system and its peers, side by side in one run, on the same topics and events.

    python -m bench [--events N] [--runs N] [--only c,g] [--traffic mixed|uniform|both] [--json FILE]

Mixed traffic is what agencies send (`bench/traffic.py`), uniform traffic is compact events of few types. Each
run has fresh stacks in temporary folders, on loopback: one for everything alone, one for everything together, one for
uniform traffic through the registrar. What a run leaves in the log and in the read models is compared with what the
traffic holds. The tables are printed, and kept in `build/bench.txt`. Three runs of 300,000 events take about eleven
minutes on two cores, one of 1,000,000 about nine.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console

from bench import peers, system
from bench.figures import CEILING, Figures, show
from bench.history import AGENCIES
from bench.other_languages import ChildResult, NotRun, append_to_tessera, count_by_key
from bench.topics import Published, check_applied, check_registered, publish, records, register_agencies
from bench.traffic import OFFICE
from consumers.models.registry import CONSUMERS
from infra.embedded.processes.signals import usual_parts
from infra.embedded.stack import running_stack
from infra.kafka.client_config import agency_topic
from infra.kafka.end_offsets import end_offsets_reader
from infra.postgres.connection import Connection, connect
from infra.principals import SUPERUSER
from infra.settings import Settings

LATENCY_EVENTS_PER_S: Final = 1_000
LATENCY_S: Final = 10
PEER_LIMIT_S: Final = 6.0
STEPS: Final = {
    "a": "reading alone",
    "b": "FastStream event by event",
    "b2": "FastStream in batches",
    "c": "the registrar",
    "d": "each consumer alone",
    "e": "a rebuild",
    "f": "published to visible",
    "g": "everything together",
    "k": "Kafka Streams",
    "t": "Tessera",
}
OF_UNIFORM: Final = frozenset({"a", "c"})
GOALS: Final = {
    ("mixed", "registrar"): 25_000,
    ("uniform", "registrar"): 32_000,
    ("mixed", "revenue"): 40_000,
    ("mixed", "campaigns"): 50_000,
    ("mixed", "together"): 18_000,
}
RATIOS: Final = {
    ("projections", "streams"): 2.0,
    ("registrar", "tessera_dedup"): None,
    ("projections", "batched"): None,
}

console = Console(stderr=True)
REPORT: Final = Path(__file__).parents[1] / "build" / "bench.txt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000, help="records in the topics (default 300,000)")
    parser.add_argument("--runs", type=int, default=3, help="whole runs; medians are shown (default 3)")
    steps = ", ".join(f"{letter} {what}" for letter, what in STEPS.items())
    parser.add_argument("--only", default=",".join(STEPS), help=f"measure only these: {steps}")
    parser.add_argument("--traffic", choices=("mixed", "uniform", "both"), default="both")
    parser.add_argument(
        "--beside",
        default=",".join(sorted(usual_parts() & {"relay", "consumers", *CONSUMERS})),
        help="processes that run beside the registrar in f and g (default, as `yesser up`: %(default)s)",
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    only = frozenset(arguments.only.split(","))
    if unknown := sorted(only - set(STEPS)):
        parser.error(f"no such measurement: {', '.join(unknown)}")
    figures = Figures(arguments.events, ratios=dict(RATIOS))
    for number in range(arguments.runs):
        console.rule(f"run {number + 1} of {arguments.runs}")
        for kind in ("mixed", "uniform") if arguments.traffic == "both" else (arguments.traffic,):
            asyncio.run(Run(kind, arguments.events, only, figures, arguments.beside.split(",")).whole())
    report = Console(record=True)
    show(figures, report)
    REPORT.parent.mkdir(exist_ok=True)
    report.save_text(str(REPORT))
    if arguments.json:
        arguments.json.write_bytes(orjson.dumps(figures.document(), option=orjson.OPT_INDENT_2))


@dataclass(frozen=True, slots=True)
class Run:
    """One run with one kind of traffic. A step that another one needs is run, but not shown unless it is wanted."""

    kind: str
    events: int
    only: frozenset[str]
    figures: Figures
    beside: Sequence[str]
    codes: Sequence[str] = field(default=(OFFICE, *AGENCIES))

    async def whole(self) -> None:
        """All wanted steps of this traffic."""
        wanted = self.only & OF_UNIFORM if self.kind == "uniform" else self.only
        if wanted & {"a", "b", "b2", "c", "d", "e", "k"}:
            with stack() as settings:
                await self._alone(settings, wanted)
        if wanted & {"f", "g"}:
            with stack() as settings:
                await self._together(settings, wanted)
        if "t" in wanted:
            self._tessera()

    async def _alone(self, settings: Settings, wanted: frozenset[str]) -> None:
        connection = await connect(settings, "bench")
        try:
            await register_agencies(settings, connection, AGENCIES)
            published = await self._publish(settings)
            topics = [agency_topic(code) for code in self.codes]
            await self._python_peers(settings, topics, wanted)
            if wanted & {"c", "d", "e", "k"}:
                await self._registrar(settings, connection, published)
            if "k" in wanted:
                await self._kafka_streams(settings)
            if wanted & {"d", "e"}:
                await self._consumers(settings, connection, published, wanted)
            if "e" in wanted:
                self.figures.rebuild_s.append(system.rebuild_seconds(settings))
        finally:
            await connection.close()

    async def _publish(self, settings: Settings) -> Published:
        with console.status(f"publishing {self.events:,} {self.kind} events"):
            started = time.perf_counter()
            published = await publish(settings, self.kind, self.events, self.codes)
        console.print(f"published {self.events:,} events at {self.events / (time.perf_counter() - started):,.0f}/s")
        return published

    async def _python_peers(self, settings: Settings, topics: Sequence[str], wanted: frozenset[str]) -> None:
        if "a" in wanted:
            found = await peers.ceiling(settings, topics, self.events)
            self._add(CEILING, "(a) reading alone, aiokafka", found.rate, found.processor_us)
        if "b" in wanted:
            found = await peers.event_by_event(settings, topics, self.events, PEER_LIMIT_S)
            self._add("single", "(b) FastStream, one by one", found.rate, found.processor_us)
        if "b2" in wanted:
            found = await peers.batch_by_batch(settings, topics, self.events, PEER_LIMIT_S)
            self._add("batched", "(b2) FastStream, batches", found.rate, found.processor_us)

    async def _registrar(self, settings: Settings, connection: Connection, published: Published) -> None:
        end = await connection.fetchval(system.SIZE) + published.entries
        measured = await system.registrar_alone(settings, connection, end)
        await check_registered(connection, published)
        if "c" in self.only:
            self._add_measured("registrar", "(c) registrar", measured, ("registrar",))

    async def _consumers(
        self, settings: Settings, connection: Connection, published: Published, wanted: frozenset[str]
    ) -> None:
        for name in CONSUMERS:
            measured = await system.consumer_alone(settings, connection, name)
            if "d" in wanted:
                self._add_measured(name, f"(d) {name}", measured, (name,))
        check_applied(settings, published)

    async def _kafka_streams(self, settings: Settings) -> None:
        async with end_offsets_reader(settings) as end_offsets:
            end = (await end_offsets([settings.log_topic]))[settings.log_topic]
        try:
            found = await asyncio.to_thread(count_by_key, settings, settings.log_topic, end, console.print)
            self._add_child("streams", "(k) Kafka Streams, a count", found, end)
        except NotRun as reason:
            self.figures.note(str(reason))

    def _tessera(self) -> None:
        lines = [line for _, line, outcome in records(self.kind, self.events) if outcome != "refused"]
        for key, title, dedup in (
            ("tessera", "(t) Tessera, no dedup", False),
            ("tessera_dedup", "(t) Tessera, Badger dedup", True),
        ):
            try:
                self._add_child(key, title, append_to_tessera(lines, dedup), len(lines))
            except NotRun as reason:
                self.figures.note(str(reason))

    async def _together(self, settings: Settings, wanted: frozenset[str]) -> None:
        connection = await connect(settings, "bench")
        try:
            await register_agencies(settings, connection, AGENCIES)
            late = LATENCY_EVENTS_PER_S * LATENCY_S if "f" in wanted else 0
            published = await publish(settings, self.kind, self.events, self.codes, later=late)
            with system.running(settings, self.beside) as children:
                await system.until_idle(connection)
                with system.process(settings, "registrar") as registrar:
                    every = {"registrar": registrar, **children}
                    measured = await system.everything(settings, connection, every, self.events)
                    await check_registered(connection, published)
                    check_applied(settings, published)
                    if "g" in wanted:
                        self._add_measured("together", "(g) everything together", measured, tuple(measured.loads))
                    if "f" in wanted:
                        system.command_output(settings, "wait")
                        found = await system.latencies(settings, AGENCIES[0], published.later, LATENCY_EVENTS_PER_S)
                        self.figures.latencies += found
        finally:
            await connection.close()

    def _add(self, key: str, title: str, rate: float, processor_us: float) -> None:
        line = self.figures.line(self.kind, key, title, GOALS.get((self.kind, key)))
        line.rates.append(rate)
        line.processor_us.append(processor_us)
        console.print(f"{title}: {rate:,.0f}/s, {processor_us:.1f} µs/event")

    def _add_child(self, key: str, title: str, found: ChildResult, events: int) -> None:
        self._add(key, title, events / found.printed["seconds"], 1e6 * found.processor_s / events)
        self.figures.line(self.kind, key, title).memory_mib.append(found.memory_mib)

    def _add_measured(self, key: str, title: str, measured: system.Measured, own: Sequence[str]) -> None:
        """The rate with the processor time of the processes `own`, then a line for each further process or service."""
        loads = measured.loads
        self._add(key, title, measured.rate, 1e6 * sum(loads[n].processor_s for n in own) / measured.events)
        line = self.figures.line(self.kind, key, title)
        if measured.growth is not None:
            line.growth.append(measured.growth)
        if len(own) == 1:
            line.memory_mib.append(loads[own[0]].memory_mib)
        for name in loads:
            if name not in own or len(own) > 1:
                part = self.figures.line(self.kind, f"{key}.{name}", f"      {name}")
                part.processor_us.append(1e6 * loads[name].processor_s / measured.events)
                if name != "postgres":
                    part.memory_mib.append(loads[name].memory_mib)


@contextmanager
def stack() -> Iterator[Settings]:
    """Kafka and PostgreSQL in a temporary folder."""
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("kafka", "postgres")) as settings,
    ):
        yield settings.acting_as(SUPERUSER)


if __name__ == "__main__":
    main()
