"""`yesser ledger`: the group. Its commands are entry points, each imported when it is called, since
`verify-statement` runs where no database client is installed.
"""

from __future__ import annotations

from typing import Final

import click

from infra.command_line.entry_point_group import EntryPointGroup

ENTRY_POINTS: Final = "yesser.ledger"


@click.group("ledger", cls=EntryPointGroup, entry_points=ENTRY_POINTS)
def ledger() -> None:
    """Show balances, terms, statements and transfers of the revenue share, and prove, explain and export them."""
