"""Arguments that nothing can have are wrong use, before the database is asked."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from consumers.delivery.teams.subscription_commands import subscriptions
from consumers.delivery.teams.webhook_commands import webhooks

ENDPOINT = "ep_" + "a" * 16
BEYOND = "9" * 20


@pytest.mark.parametrize("beginning", [BEYOND, "9" * 17, "9" * 5_000, "2026-11-1"])
def test_a_beginning_is_an_index_or_a_date(beginning: str) -> None:
    arguments = ["add", "health", "press", "--route", "email", "--from", beginning]
    assert CliRunner().invoke(subscriptions, arguments).exit_code == 2


@pytest.mark.parametrize("command", ["attempts", "redeliver"])
@pytest.mark.parametrize("message", [BEYOND, "0", "-1"])
def test_a_message_has_a_number_that_there_can_be(command: str, message: str) -> None:
    assert CliRunner().invoke(webhooks, [command, ENDPOINT, "--message", message]).exit_code == 2


def test_a_subscription_has_a_number_that_there_can_be() -> None:
    assert CliRunner().invoke(subscriptions, ["end", BEYOND]).exit_code == 2
