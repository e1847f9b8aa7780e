"""Arguments that nothing can have are wrong use, before the database is asked."""

from __future__ import annotations

import click
from click.testing import CliRunner

from consumers.delivery.teams.subscription_commands import subscriptions
from consumers.delivery.teams.webhook_commands import webhooks
from tests.every import every

ENDPOINT = "ep_" + "a" * 16
ADD = ("add", "health", "press", "--route", "email", "--from")
BEYOND = "9" * 20


@every(
    ("group", "arguments"),
    [
        *((subscriptions, [*ADD, beginning]) for beginning in (BEYOND, "9" * 17, "9" * 5_000, "2026-11-1")),
        *((webhooks, ["attempts", ENDPOINT, "--message", number]) for number in (BEYOND, "0", "-1")),
        *((webhooks, ["redeliver", ENDPOINT, "--message", number]) for number in (BEYOND, "0", "-1")),
        (subscriptions, ["end", BEYOND]),
    ],
)
def test_a_beginning_or_a_number_is_one_that_there_can_be(group: click.Group, arguments: list[str]) -> None:
    assert CliRunner().invoke(group, arguments).exit_code == 2
