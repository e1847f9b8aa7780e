"""`yesser sandbox`, `sandbox up`, `sandbox env`, `sandbox down`.

A sandbox is a separate stack with one agency, its token, and an adopted plan. It has its own folder, log and keys.
Nothing in it can reach the national log, because nothing connects the two.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import click
import uvloop

from events.errors import YesserError
from events.schema_tools.refusal_examples import golden_example
from events.values.bilingual import Bilingual
from infra.clock import Clock, utc_now
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_json, print_result
from infra.embedded.commands import NOTHING_RAN, STOPPED
from infra.embedded.plan import Wanted
from infra.embedded.stack import start_stack, stop_stack
from infra.embedded.status import stack_status
from infra.keys.access_changes import AccessChanges
from infra.postgres.connection import Connection, connected
from infra.process.subprocess_command import typed_command
from infra.secret_files import write_private
from infra.settings import SANDBOX_FILE, Settings
from producers.agencies.register import OFFICE, NewAgency, add_agencies
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.publisher.kafka_publisher import AgencyPublisher

_TRY: Final = """\
curl -sS {gateway}/docs/examples/service.registered.json | sed s/agency:health/agency:{agency}/ |
  curl -sS {gateway}/v1/events -H "Authorization: Bearer {token}" \\
    -H "Content-Type: application/cloudevents+json" --data-binary @-"""
_POINT: Final = '\neval "$({yesser} sandbox env)"'


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def sandbox(context: click.Context, as_json: bool) -> None:
    """A separate stack for trying things out. Without a sub-command, show how to connect to it.

    It has its own log in its own folder: nothing in it reaches the national log.
    """
    if context.invoked_subcommand is None:
        _show(connection_info(sandbox_settings(Settings())), as_json)


@sandbox.command("up")
@json_option
def up(as_json: bool) -> None:
    """Start the sandbox with an agency, its token and an adopted plan. Repeating the command changes nothing."""
    settings = sandbox_settings(Settings())
    start(settings, lambda sentence: click.echo(sentence, err=True))
    uvloop.run(seed(settings))
    _show(connection_info(settings), as_json)


@sandbox.command("env")
@json_option
def env(as_json: bool) -> None:
    """Print the shell's environment for the sandbox: eval "$(yesser sandbox env)"."""
    variables = variables_of(connection_info(sandbox_settings(Settings())))
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    print_result(variables, as_json, lambda: click.echo("\n".join(exports)))


@sandbox.command("down")
@click.option("--forget", is_flag=True, help="Also delete its data.")
@json_option
def down(forget: bool, as_json: bool) -> None:
    """Stop the sandbox. Its data stays unless you give --forget."""
    stopped = stop(sandbox_settings(Settings()), forget=forget)
    if as_json:
        print_json({"stopped": stopped, "forgotten": forget})
    else:
        print_localized(STOPPED if stopped else NOTHING_RAN)
        if forget:
            print_localized(Bilingual("حُذفت بياناتها.", "Its data is deleted."))


def variables_of(found: Sandbox) -> dict[str, str]:
    """Environment variables that point `yesser`, the SDK and the documentation's examples at the sandbox."""
    return {
        "YESSER_HOME": found.home,
        "YESSER_GATEWAY": found.gateway,
        "YESSER_AGENCY": found.agency,
        "YESSER_TOKEN": found.token,
    }


def _show(found: Sandbox, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    sentence = Bilingual(
        "بيئة تجريبية: سجلها مستقل، ولا يصل شيء منها إلى السجل الوطني.\n",
        "A sandbox: it has its own log, and nothing in it reaches the national log.\n",
    )
    print_localized(sentence)
    rows = (
        (found.gateway, localized(Bilingual("العنوان", "address"))),
        (f"{found.gateway}/docs", localized(Bilingual("التوثيق", "documentation"))),
        (found.agency, localized(Bilingual("الجهة", "agency"))),
        (found.key_id, localized(Bilingual("معرّف الرمز", "key id"))),
        (found.token, localized(Bilingual("رمز الدخول", "token"))),
    )
    for value, name in rows:
        click.echo(f"{value}  {name}")
    click.echo(f"\n{_TRY.format(gateway=found.gateway, agency=found.agency, token=found.token)}")
    click.echo(_POINT.format(yesser=typed_command()))
    print_localized(Bilingual("  # يوجّه سطر الأوامر هذا إلى البيئة التجريبية", "  # points this shell at the sandbox"))


AGENCY: Final = NewAgency("sandbox", "agency", "جهة تجريبية", "Sandbox agency")
FOLDER: Final = "sandbox"
TOKEN_DAYS: Final = 1_095


class NoSandbox(YesserError):
    """There is no usable sandbox; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Connection info of a sandbox."""

    home: str
    gateway: str
    agency: str
    key_id: str
    token: str


def sandbox_settings(settings: Settings) -> Settings:
    """Settings of the sandbox beside this stack; within a sandbox, its own. Raises `NoSandbox` for given services."""
    if settings.kafka or settings.postgres:
        raise NoSandbox(
            "YESSER_KAFKA or YESSER_POSTGRES names services that others use, and a sandbox has its own: unset both"
            " and run the command again."
        )
    home = settings.home if settings.is_sandbox else settings.home / FOLDER
    return settings.model_copy(update={"home": home.resolve()})


async def seed(settings: Settings, clock: Clock = utc_now) -> None:
    """Give a running sandbox its agency, plan and token. Repeating it completes what is missing."""
    if _known(settings):
        return
    settings = settings.acting_as("administrator")
    async with connected(settings, "sandbox") as connection:
        await add_agencies(connection, settings, [AGENCY], clock)
        async with AgencyPublisher(settings.acting_as("operator"), OFFICE.code) as publisher:
            await publisher.publish([golden_example("plan.adopted")])
        write_private(settings.home / SANDBOX_FILE, json.dumps(await _access(connection, settings)))


async def _access(connection: Connection, settings: Settings) -> dict[str, str]:
    made = await create_token(connection, hash_key(settings), TokenRequest("agency", AGENCY.code, TOKEN_DAYS, ()))
    await AccessChanges.of(settings).add(connection, "token", made.key_id, "added")
    return {"agency": AGENCY.code, "key_id": made.key_id, "token": made.token}


def start(settings: Settings, progress: Callable[[str], None]) -> None:
    """Start the sandbox's stack and wait until it is ready. Raises `NoSandbox` if the folder is not a sandbox."""
    home = settings.home
    if not (home / SANDBOX_FILE).exists():
        if home.exists() and any(home.iterdir()):
            raise NoSandbox(f"{home} is not a sandbox: move it away, or set another YESSER_HOME.")
        home.mkdir(parents=True, exist_ok=True)
        write_private(home / SANDBOX_FILE, "{}")
    start_stack(settings, Wanted(beside_another=True), progress)


def connection_info(settings: Settings) -> Sandbox:
    """Connection info of the running sandbox, even while part of it is not ready. Raises `NoSandbox` if none runs."""
    status, known = stack_status(settings), _known(settings)
    port = next((process.port for process in status.processes if process.name == "gateway"), None)
    if not port or not status.running or not known:
        raise NoSandbox("No sandbox runs here: start one with `yesser sandbox up`.")
    scheme = "http" if settings.gateway_certificate is None else "https"
    return Sandbox(home=str(settings.home), gateway=f"{scheme}://127.0.0.1:{port}", **known)


def _known(settings: Settings) -> dict[str, str]:
    """The sandbox's credentials; empty where there is no sandbox, or one that is not seeded yet."""
    try:
        known: dict[str, str] = json.loads((settings.home / SANDBOX_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return known


def stop(settings: Settings, *, forget: bool) -> bool:
    """Stop the sandbox; with `forget`, delete its data. Returns whether anything ran."""
    stopped = stop_stack(settings)
    if forget and (settings.home / SANDBOX_FILE).exists():
        shutil.rmtree(settings.home)
    return stopped
