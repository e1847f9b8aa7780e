"""`yesser ledger explain`: every figure of a statement is compared with the live table, named or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.explain import options
from consumers.explain.explain import Request, explain
from consumers.explain.figures import Scope
from consumers.explain.over_http.known_source import KnownSource
from consumers.explain.sources import Reach
from consumers.ledger.command_line.explain import explain_command
from tests.every import every
from tests.world.partnership import History

FIELD = "partner_total_halalas"


class Live(KnownSource):
    async def live(self, figures: Any) -> dict[str, Any]:
        assert self.figures is not None
        return {name: self.figures[name] for name in figures}


def explained(
    monkeypatch: pytest.MonkeyPatch, changed: Mapping[str, int] | None = None, *, is_complete: bool = True
) -> Callable[..., Result]:
    """Runs the command on a live table in which these figures were changed. `is_complete`: the whole log is read."""
    history = History((40_000, "2005-01-10"))
    history.close("2005-01")
    raw = history.raw()
    log = KnownSource(Reach(len(raw), is_complete), {Scope("partnership/P1"): raw}, None)
    live = {**asyncio.run(explain(log, Request("statements", "P1/2005-01"))).figures, **(changed or {})}

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[KnownSource]:
        yield Live(log.known_reach, log.known_entries, live)

    monkeypatch.setattr(options, "_opened", opened)
    return lambda *words: CliRunner().invoke(explain_command, ["P1", "2005-01", *words])


@every("words", [(), (FIELD,)])
def test_a_changed_figure_of_the_table_is_named_also_where_all_are_shown(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    run = explained(monkeypatch, {FIELD: 1})
    done, shown = run(*words, "--json"), run(*words)
    assert (done.exit_code, shown.exit_code) == (1, 1), (done.output, done.exception)
    document = json.loads(done.stdout)
    assert document["ok"] is False
    assert document["figures"][FIELD] == 1
    assert f"The entries give: {FIELD} = 600.00. Run yesser rebuild --compare." in " ".join(shown.output.split())


def test_without_a_field_all_figures_are_compared_and_the_answer_says_up_to_where(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = explained(monkeypatch)
    done, shown = run("--json"), run()
    assert (done.exit_code, shown.exit_code) == (0, 0), (done.output, done.exception)
    document = json.loads(done.stdout)
    assert (document["ok"], document["log_index"]) == (True, 3)
    assert document["figures"] == {row["field"]: row["value"] for row in document["fields"]}
    assert "differs" not in shown.output


@every("words", [(), (FIELD,)])
@every("is_complete", [True, False])
def test_an_export_is_said_to_prove_no_more_than_it_holds_also_where_all_fields_are_shown(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], is_complete: bool
) -> None:
    shown = explained(monkeypatch, is_complete=is_complete)(*words)
    assert shown.exit_code == 0, (shown.output, shown.exception)
    said = "An export proves what it holds, not that the log has no more."
    assert (said in " ".join(shown.output.split())) is not is_complete
