"""`yesser sandbox`, `sandbox up`, `sandbox env`, `sandbox down`."""

from __future__ import annotations

import shlex
from typing import Final

import click
import uvloop

from events.values.bilingual import Bilingual
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_json, print_result
from infra.embedded.commands import NOTHING_RAN, STOPPED
from infra.process.subprocess_command import typed_command
from infra.settings import Settings
from producers.agencies.sandbox import Sandbox, connection_info, sandbox_settings, seed, start, stop

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
