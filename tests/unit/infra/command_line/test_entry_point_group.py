"""Groups to which other packages add commands."""

from __future__ import annotations

import click
from click.testing import CliRunner

from consumers.programme.campaigns.commands import campaigns_group
from infra.command_line.entry_point_group import EntryPointGroup


def test_a_group_has_its_own_commands_and_those_of_its_entry_points_and_another_is_wrong_usage() -> None:
    context = click.Context(campaigns_group)
    names = campaigns_group.list_commands(context)
    assert names == sorted(names)
    assert {"list", "ack", "air", "complete"} <= set(names)
    ack = campaigns_group.get_command(context, "ack")
    assert ack is not None
    assert any("--lang" in parameter.opts for parameter in ack.params)
    empty = EntryPointGroup("empty", entry_points="yesser.nobody")
    assert empty.list_commands(click.Context(empty)) == []
    assert CliRunner().invoke(empty, ["ack"]).exit_code == 2
