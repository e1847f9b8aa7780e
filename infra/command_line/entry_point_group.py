"""A group to which other packages add commands by entry points, so that it does not import them."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from infra.command_line.language import with_language
from infra.extras import extra_of, needs


class EntryPointGroup(click.Group):
    """Its own commands, and those of the entry-point group `entry_points`, each imported when it is called."""

    def __init__(self, *arguments: Any, entry_points: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._entry_points = entry_points

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._entries})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        return super().get_command(ctx, cmd_name) if entry is None else with_language(entry.load())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does; commands whose packages are not installed are named apart."""
        here: list[tuple[str, str]] = []
        lacking: dict[str, list[str]] = {}
        for name in self.list_commands(ctx):
            try:
                command = self.get_command(ctx, name)
            except ImportError as error:
                if (extra := extra_of(error)) is None:
                    raise
                lacking.setdefault(extra, []).append(name)
            else:
                if command is not None and not command.hidden:
                    here.append((name, command.get_short_help_str(formatter.width)))
        with formatter.section("Commands"):
            formatter.write_dl(here)
        for extra, names in lacking.items():
            with formatter.section(needs(extra)):
                formatter.write_text(", ".join(names))

    @cached_property
    def _entries(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=self._entry_points)}
