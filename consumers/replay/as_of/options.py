"""The options `--as-of-index`, `--as-of-recorded` and `--as-of-occurred`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from consumers.replay.as_of.point_in_time import PointInTime
from infra.command_line.parameters import date_option, gathered, index_option, time_option


def _point_in_time(as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None) -> PointInTime:
    if sum(option is not None for option in (as_of_index, as_of_recorded, as_of_occurred)) > 1:
        raise click.UsageError("Give only one of --as-of-index, --as-of-recorded and --as-of-occurred.")
    return PointInTime(as_of_index, as_of_recorded, as_of_occurred)


as_of_options: Final = gathered(
    "at",
    _point_in_time,
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
"""The command receives the `PointInTime` that they name as `at`."""
