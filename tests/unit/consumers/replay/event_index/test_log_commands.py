"""`yesser log find --type`: a type of the catalogue, short or in full, and a mistyped one is named with the nearest."""

from __future__ import annotations

import click
from click.testing import CliRunner

from consumers.replay.event_index.commands import EventTypeName, log
from events.types.catalogue import CATALOGUE
from events.wire.envelope import full_type
from tests.every import every


def test_every_type_is_taken_short_and_in_full_and_completed_without_any_service() -> None:
    for name in CATALOGUE:
        assert EventTypeName().convert(name, None, None) == full_type(name)
        assert EventTypeName().convert(full_type(name), None, None) == full_type(name)
    found = EventTypeName().shell_complete(click.Context(log), click.Option(["--type"]), "revenue.")
    assert [item.value for item in found] == [name for name in CATALOGUE if name.startswith("revenue.")]


@every(
    ("mistyped", "answer"),
    [
        ("service.lanched", "'service.lanched' is not an event type. Did you mean 'service.launched'?"),
        ("sa.gov.yesser.revenue.colected.v1", "Did you mean 'revenue.collected'?"),
        ("plan.adopt", "Did you mean 'plan.adopted'?"),
        ("42", "docs/events.md"),
    ],
)
def test_a_mistyped_type_is_wrong_use_and_names_the_nearest_or_the_list(mistyped: str, answer: str) -> None:
    done = CliRunner().invoke(log, ["find", "--type", mistyped])
    assert done.exit_code == 2
    assert answer in done.output
