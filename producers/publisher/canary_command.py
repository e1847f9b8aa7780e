"""`yesser canary`: measures an agency's whole way, from a gateway's public address to the figures, by one event.

A scheduler runs it once a minute on a machine outside. The event changes no figure; it stays in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from msgspec import Struct

from events.values.bilingual import Bilingual
from events.wire.codec import build_event
from events.wire.entry import recorded_time
from infra.command_line.gateway_options import gateway_address, gateway_option, token_of, token_option
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import OutputFile
from infra.errors import WaitTimedOut
from infra.secret_files import private_file
from infra.settings import Settings

if TYPE_CHECKING:
    from producers.sdk.client import AgencyClient

_LOOK_EVERY_S: Final = 0.05
GAUGES: Final = {
    "yesser_canary_visible_seconds": "Seconds until all figures contained the last canary event.",
    "yesser_canary_visible_timestamp_seconds": "When all figures contained it.",
}
"""Name → meaning. Their label is `origin`."""


class Canary(Struct):
    """The event's entry, and the seconds from before it was sent until it was registered, and until all figures
    contained it."""

    id: str
    index: int
    registered_s: float
    visible_s: float


async def send_canary(client: AgencyClient, origin: str, now: datetime, timeout_s: float) -> Canary:
    """Send a canary event, and wait until all figures contain it. Raises `WaitTimedOut`, and as the client does."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    event_id, time = f"canary.{origin}.{recorded_time(now)}", recorded_time(now)
    async with client:
        agency = await client.sender()
        event = build_event(
            type="canary.sent",
            agency=agency.code,
            id=event_id,
            subject=f"canary/{origin}",
            time=time,
            data={"origin": origin},
        )
        registered = await client.wait_registered(await client.send(event), timeout_s)
        registered_s = loop.time() - began
        while not (await client.status(event_id)).applied:
            if loop.time() - began > timeout_s:
                raise WaitTimedOut(
                    f"{event_id} is entry {registered.index}, and no figure had it within {timeout_s:g} s."
                )
            await asyncio.sleep(_LOOK_EVERY_S)
    return Canary(event_id, registered.index, round(registered_s, 3), round(loop.time() - began, 3))


def _exposition(origin: str, values: Iterable[float]) -> str:
    """The gauges in Prometheus's text format, for the textfile collector of its node exporter."""
    return "".join(
        f'# HELP {name} {meaning}\n# TYPE {name} gauge\n{name}{{origin="{origin}"}} {value}\n'
        for (name, meaning), value in zip(GAUGES.items(), values, strict=True)
    )


@click.command("canary")
@click.option("--origin", default="canary", show_default=True, help="The id of the place that it is sent from.")
@gateway_option("that of the stack in YESSER_HOME")
@token_option
@click.option("--timeout", "timeout_s", type=float, default=60.0, show_default=True, help="Longest wait, in seconds.")
@click.option("--metrics", type=OutputFile(), metavar="FILE", help="Write the time to FILE, for Prometheus.")
@json_option
def canary(
    origin: str, gateway: str | None, token_file: Path | None, timeout_s: float, metrics: Path | None, as_json: bool
) -> None:
    """Measure how long an event takes from a gateway to the figures.

    It sends one event that changes no figure, and waits until all figures contain it. Where it fails, FILE keeps what
    it had. Each event stays in the log.
    """
    from producers.sdk.client import AgencyClient
    from producers.sdk.connection import ClientLimits

    limits = ClientLimits(time_limit_s=timeout_s)
    client = AgencyClient.of(Settings(), gateway_address(gateway), token_of(token_file), limits)
    now = datetime.now(UTC)
    sent = asyncio.run(send_canary(client, origin, now, timeout_s))
    if metrics is not None:
        with private_file(metrics, 0o644) as file:
            file.write(_exposition(origin, (sent.visible_s, now.timestamp() + sent.visible_s)).encode())
    sentence = Bilingual(
        "القيد {} مسجَّل بعد {} ثانية، وظاهر في كل الأرقام بعد {} ثانية.",
        "Entry {} was registered after {} s, and all figures contained it after {} s.",
    )
    print_confirmation(sent, as_json, sentence.format(sent.index, sent.registered_s, sent.visible_s))
