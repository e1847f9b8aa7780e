"""A sandbox: a separate stack with one agency, its token, and an adopted plan.

It has its own folder, log and keys. Nothing in it can reach the national log, because nothing connects the two.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from events.errors import YesserError
from events.schema_tools.refusal_examples import golden_example
from infra.embedded.plan import Wanted
from infra.embedded.stack import start_stack, stop_stack
from infra.embedded.status import stack_status
from infra.keys.access_changes import AccessChanges
from infra.postgres.connection import Connection, connected
from infra.secret_files import write_private
from infra.settings import SANDBOX_FILE, Settings
from producers.agencies.genesis import OFFICE
from producers.agencies.register import NewAgency, add_agencies
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.publisher.kafka_publisher import AgencyPublisher

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


async def seed(settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
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
