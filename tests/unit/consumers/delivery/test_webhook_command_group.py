"""The commands of webhooks come from two modules."""

from __future__ import annotations

import click

from infra.cli import cli


def test_the_group_of_webhooks_has_what_this_room_adds() -> None:
    group = cli.get_command(click.Context(cli), "webhooks")
    assert isinstance(group, click.Group)
    assert {"add", "rotate", "test"} <= set(group.commands)
