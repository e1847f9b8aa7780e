"""`yesser webhooks`: registration, secrets, attempts, sending again, and a receiver for developers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from typing import Final

import click
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from consumers.delivery.secrets import is_shared_secret, rotate_sealing_key, sign
from consumers.delivery.teams import endpoints
from consumers.delivery.teams.commands.options import EndpointId, agency_argument, asked, change, query, team_argument
from consumers.delivery.teams.endpoints import Wanted, webhooks_of
from consumers.delivery.teams.inputs import NewWebhook
from consumers.documents.tables import grid
from consumers.documents.teams.webhooks import ATTEMPTS, WEBHOOKS
from consumers.replay.as_of.query import print_list
from events.values.bilingual import Bilingual
from events.values.money import INTEGER_MAX
from infra.command_line.break_glass import break_glass_option
from infra.command_line.completion import registered
from infra.command_line.database import with_database
from infra.command_line.display import show
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_json, print_result
from infra.command_line.parameters import AgencyCode, time_option
from infra.keys.commands import overlap_option, prepare_option, rotate_by
from infra.keys.hash_keys import endpoint_key_files
from infra.keys.rotation import Rotation, prepare_hash_key
from infra.process.http_server import listening, running
from infra.process.tasks import stop_at_signals
from infra.settings import Settings

ATTEMPTS_SHOWN: Final = 50
ATTEMPTS_MAX: Final = 10_000

endpoint_argument: Final = click.argument("endpoint", type=EndpointId())
any_endpoint_argument: Final = click.argument("endpoint")


@click.group()
def webhooks() -> None:
    """The webhooks of teams: add one, rotate its secrets, see its attempts, send again."""


@webhooks.command("list")
@click.option("--agency", type=AgencyCode(), help="Only the webhooks of this agency.")
@json_option
def list_(agency: str | None, as_json: bool) -> None:
    """List webhooks: their state, what waits, what was not delivered, the last attempt.

    More than 1,000 messages in one state are not counted: they are 1001.
    """
    registered(agency)
    rows = query(lambda connection: webhooks_of(connection, agency))
    print_list(WEBHOOKS, rows, as_json)


@webhooks.command("add")
@agency_argument
@team_argument
@click.argument("url")
@json_option
def add(agency: str, team: str, url: str, as_json: bool) -> None:
    """Register URL as a webhook of a team. Its secrets are shown only once.

    Deliveries are signed by Standard Webhooks, with the secret (v1) and with the key of the public key (v1a). It gets
    nothing until the team subscribes: see `yesser subscriptions add AGENCY TEAM --route webhook`.
    """
    new = asked(NewWebhook, team=team, url=url)
    _hand_over(change(lambda desk: endpoints.add_endpoint(desk, agency, new)), as_json)


@webhooks.command("rotate")
@endpoint_argument
@click.option("--end-old", is_flag=True, help="The old secrets expire now, because someone else may know them.")
@json_option
def rotate_(endpoint: str, end_old: bool, as_json: bool) -> None:
    """Give a webhook new secrets, which are shown only once.

    The new ones sign at once, and the old ones for 24 hours more, so that the receiver can change over: each delivery
    carries the signatures of both.
    """
    _hand_over(
        change(lambda desk: endpoints.rotate(desk, None, endpoint, end_old=end_old)), as_json, rotated=not end_old
    )


@webhooks.command("rotate-key")
@overlap_option
@prepare_option
@break_glass_option
@json_option
def rotate_key(overlap_days: int, prepare: bool, break_glass: str | None, as_json: bool) -> None:
    """Replace the key for which the secrets of webhooks are sealed in the database. The secrets stay as they are.

    Run it on the machine of the delivery process, which goes on meanwhile. An interrupted command can be repeated.
    Needs two people, once there is a second administrator.
    """
    settings, now = Settings(), datetime.now(UTC)
    files = endpoint_key_files(settings)

    def done() -> Rotation:
        if prepare:
            return prepare_hash_key(files)
        return with_database(
            settings.acting_as("migrator"), "webhooks", lambda own: rotate_sealing_key(own, files, overlap_days, now)
        )

    rotate_by(done, settings, "webhooks", overlap_days, break_glass, as_json, prepare=prepare)


@webhooks.command("test")
@endpoint_argument
@json_option
def test(endpoint: str, as_json: bool) -> None:
    """Send an example event to a webhook: signed, with the header `yesser-example: true`, and no entry of the log."""
    sent = change(lambda desk: endpoints.send_example(desk, None, endpoint))
    sentence = Bilingual("سيُرسل المثال {} إلى {}.", "The example {} will be sent to {}.")
    print_confirmation(sent, as_json, sentence.format(sent.event_id, endpoint))


@webhooks.command("listen")
@click.option("--port", type=click.IntRange(0, 65_535), default=8400, show_default=True, help="Its port (0: any).")
@click.option(
    "--secret-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with the webhook's secret (`whsec_…`). Without it: the variable YESSER_WEBHOOK_SECRET.",
)
def listen_(port: int, secret_file: Path | None) -> None:
    """Receive deliveries on this machine: verify the signature of each and print it, until ctrl-C.

    For a developer: `yesser webhooks add AGENCY TEAM http://127.0.0.1:8400/` gives the secret. The delivery process
    sends there where the operator names 127.0.0.1 in YESSER_WEBHOOK_HOSTS.
    """
    secret = os.environ.get("YESSER_WEBHOOK_SECRET", "") if secret_file is None else secret_file.read_text("utf-8")
    if not is_shared_secret(secret.strip()):
        raise click.UsageError("Give the webhook's secret (whsec_…): --secret-file FILE, or YESSER_WEBHOOK_SECRET.")
    asyncio.run(listen(port, secret.strip(), click.echo, print_localized))


@webhooks.command("attempts")
@any_endpoint_argument
@click.option("--message", type=click.IntRange(1, INTEGER_MAX), help="Only attempts for the message with this id.")
@click.option(
    "--limit",
    type=click.IntRange(1, ATTEMPTS_MAX),
    default=ATTEMPTS_SHOWN,
    show_default=True,
    help="Maximum number of attempts listed.",
)
@json_option
def attempts(endpoint: str, message: int | None, limit: int, as_json: bool) -> None:
    """List the newest attempts to deliver to a webhook: when, for which event, what came back, how long it took.

    With --json also the first KiB of each answer.
    """
    rows = query(lambda connection: endpoints.attempts_of(connection, None, endpoint, message, limit))
    print_result(rows, as_json, lambda: show(grid(ATTEMPTS, rows)))


@webhooks.command("redeliver")
@any_endpoint_argument
@click.option(
    "--message", type=click.IntRange(1, INTEGER_MAX), help="The message with this id (`yesser webhooks attempts`)."
)
@click.option("--since", metavar="TIME", callback=time_option, help="Messages made since TIME.")
@click.option("--until", metavar="TIME", callback=time_option, help="Messages made before TIME.")
@json_option
def redeliver_(
    endpoint: str, message: int | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Send messages to a webhook again: one, or those of a span of time.

    They have the ids that the receiver knows, and the header `yesser-replay: true`. Messages that wait are left out.
    """
    if (message is None) == (since is None):
        raise click.UsageError("Give either --message, or --since with or without --until.")
    if message is not None and until is not None:
        raise click.UsageError("--until goes with --since.")
    done = change(lambda desk: endpoints.redeliver(desk, None, endpoint, Wanted(message, since, until)))
    sentence = Bilingual(
        "الرسائل التي تُرسل إلى {endpoint} مرة أخرى: {messages}.", "{messages} messages are sent to {endpoint} again."
    ).format(endpoint=endpoint, messages=len(done.messages))
    print_confirmation(done, as_json, sentence)


@webhooks.command("disable")
@endpoint_argument
@json_option
def disable_(endpoint: str, as_json: bool) -> None:
    """Send nothing more to a webhook. What waits for it is cancelled, and can be redelivered once it is enabled."""
    change(lambda desk: endpoints.disable(desk, None, endpoint))
    sentence = Bilingual("عُطّل {}.", "{} is disabled.").format(endpoint)
    print_confirmation({"endpoint_id": endpoint, "disabled": True}, as_json, sentence)


@webhooks.command("enable")
@endpoint_argument
@json_option
def enable_(endpoint: str, as_json: bool) -> None:
    """Send messages to a disabled webhook, from the next one on. For earlier ones: `yesser webhooks redeliver`."""
    change(lambda desk: endpoints.enable(desk, None, endpoint))
    sentence = Bilingual("فُعّل {}.", "{} is enabled.").format(endpoint)
    print_confirmation({"endpoint_id": endpoint, "disabled": False}, as_json, sentence)


def _hand_over(made: endpoints.ShownOnce, as_json: bool, *, rotated: bool = False) -> None:
    """Print the secrets, this once: each on a line of stdout, what they are on stderr."""
    if as_json:
        print_json(made)
        return
    for line in (made.endpoint_id, made.secret, made.public_key):
        click.echo(line)
    detail = Bilingual(
        "معرّف الويب هوك، ثم سر v1، ثم المفتاح العام لـ v1a. احفظ السر ككلمة مرور: لن يُعرض ثانية.",
        "The webhook's id, its secret for v1, and its public key for v1a. Store the secret like a password: it"
        " cannot be shown again.",
    )
    print_localized(detail, err=True)
    if rotated:
        sentence = Bilingual("تبقى الأسرار القديمة صالحة {} ساعة.", "The old secrets are valid for {} hours more.")
        print_localized(sentence.format(endpoints.OLD_SECRET_HOURS), err=True)


BODY_BYTES_MAX: Final = 1 << 20
_CLOCKS_DIFFER_S_MAX: Final = 300
Show = Callable[[Bilingual], None]
Write = Callable[[str], None]


def receiver(secret: str, write: Write, show: Show, now: Callable[[], float] = time.time) -> ASGIApp:
    """A receiver that verifies each delivery and prints it by `write`: 204 for one that the secret signed within five
    minutes, 400 for any other. `secret` is the endpoint's `whsec_…`; `now` in seconds since 1970."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request, body = Request(scope, receive), b""
        with suppress(ClientDisconnect):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    break
            fault = fault_of(secret, request.headers, body, now())
            if fault is None:
                write(_delivery(request.headers, body))
            else:
                show(Bilingual("رُفض تسليم: {}", "Refused a delivery: {}").format(fault))
            await Response(status_code=400 if fault else 204)(scope, receive, send)

    return app


def fault_of(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> Bilingual | None:
    """Why a delivery is not to be believed; None where it is."""
    sent, stamp = headers.get("webhook-signature", "").split(), headers.get("webhook-timestamp", "")
    if not sent or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        return Bilingual("لا توقيع فيه.", "It has no signature.")
    if abs(now - int(stamp)) > _CLOCKS_DIFFER_S_MAX:
        return Bilingual("وقته يبعد أكثر من خمس دقائق.", "Its time is more than five minutes away.")
    expected = sign(secret, headers.get("webhook-id", ""), int(stamp), body)
    if any(compare_digest(expected.encode(), one.encode()) for one in sent):
        return None
    return Bilingual("لا يوافق التوقيع هذا السر.", "The signature is not of this secret.")


def _delivery(headers: Mapping[str, str], body: bytes) -> str:
    """What came, in a line, and below it the event as it came."""
    marks = [name for name in ("yesser-example", "yesser-notice", "yesser-replay", "yesser-late") if name in headers]
    event = orjson.loads(body)
    return f"{'  '.join([headers['webhook-id'], event['type'], event['subject'], *marks])}\n{body.decode()}"


async def listen(port: int, secret: str, write: Write, show: Show) -> None:
    """Receive until SIGINT or SIGTERM. Raises `PortTaken`."""
    stop = stop_at_signals()
    with listening("127.0.0.1", port, "--port") as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        show(Bilingual("يستقبل على {}. لإيقافه اضغط ctrl-C.", "Listening on {}. ctrl-C stops it.").format(address))
        async with running(receiver(secret, write, show), listener):
            await stop.wait()
