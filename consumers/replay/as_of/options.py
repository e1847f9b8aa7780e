"""The options `--as-of-index`, `--as-of-recorded` and `--as-of-occurred`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final

import click

from consumers.replay.as_of.point_in_time import PointInTime
from infra.command_line.parameters import date_option, index_option, time_option

_OPTIONS: Final = (
    index_option,
    click.option(
        "--as-of-recorded",
        metavar="TIME",
        callback=time_option,
        help="State as recorded by TIME, such as 2026-11-25T08:00:00+03:00.",
    ),
    click.option(
        "--as-of-occurred",
        metavar="DATE",
        callback=date_option,
        help="Only what had occurred by DATE, such as 2026-11-25, whenever it was recorded.",
    ),
)


def as_of_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the three options; the command receives, first, the `PointInTime` that they name."""

    @wraps(command)
    def with_point_in_time(
        *arguments: Any,
        as_of_index: int | None,
        as_of_recorded: datetime | None,
        as_of_occurred: str | None,
        **others: Any,
    ) -> None:
        if sum(option is not None for option in (as_of_index, as_of_recorded, as_of_occurred)) > 1:
            raise click.UsageError("Give only one of --as-of-index, --as-of-recorded and --as-of-occurred.")
        command(PointInTime(as_of_index, as_of_recorded, as_of_occurred), *arguments, **others)

    for option in reversed(_OPTIONS):
        with_point_in_time = option(with_point_in_time)
    return with_point_in_time
