"""The option `--break-glass` of the commands that need two people."""

from __future__ import annotations

from typing import Final

import click

from events.values.personal_data import shows_ten_digits

REASON_LENGTH_MAX: Final = 300


class Reason(click.ParamType[str]):
    """Why somebody acts alone: one line, which the trail keeps."""

    name = "reason"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        reason = value.strip()
        if not 0 < len(reason) <= REASON_LENGTH_MAX or not reason.isprintable():
            self.fail(f"write the reason in one line of at most {REASON_LENGTH_MAX} characters", parameter, context)
        if shows_ten_digits(reason):
            self.fail("the reason looks like it has a national id: leave it out", parameter, context)
        return reason


break_glass_option: Final = click.option(
    "--break-glass",
    "break_glass",
    type=Reason(),
    metavar="REASON",
    help="In an emergency: act at once, without two administrators. The trail keeps REASON, and `yesser status` shows"
    " it for 7 days.",
)
