"""`yesser ledger explain`: every figure of a statement is compared and shown, named or not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from consumers.explain.explain import KnownSource, Reach, Request, explain
from consumers.explain.figures import Scope
from consumers.explain.ledger.command_line.explain import explain_command
from consumers.explain.renderings import verdict
from tests.every import every
from tests.world.memory_log import KEY
from tests.world.partnership import History
from tests.world.statement_proofs import write_proof

FIELD = "partner_total_halalas"
EXPORT_SAYS = "An export proves what it holds, not that the log has no more."


def history() -> History:
    made = History((40_000, "2005-01-10"))
    made.close("2005-01")
    return made


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The options for an export of the entries."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    asyncio.run(write_proof([entry for _, entry in history().raw()], "P1", "2005-01", tmp_path / "export"))
    return "--from", str(tmp_path / "export"), "--vkey", KEY.verifier.vkey


def run(*words: str) -> Result:
    return CliRunner().invoke(explain_command, words)


def test_all_figures_or_one_are_compared_and_an_export_is_said_to_prove_no_more_than_it_holds(
    place: tuple[str, ...],
) -> None:
    for words in ((), (FIELD,)):
        done, shown = run("P1", "2005-01", *words, "--json", *place), run("P1", "2005-01", *words, *place)
        assert (done.exit_code, shown.exit_code) == (0, 0), (done.output, shown.output, shown.exception)
        document = json.loads(done.stdout)
        assert (document["ok"], document["is_complete"], document["log_index"]) == (True, False, 3)
        derived = (
            {row["field"]: row["value"] for row in document["fields"]} if not words else {FIELD: document["value"]}
        )
        assert document["figures"] == derived
        assert derived[FIELD] == 60_000
        assert EXPORT_SAYS in " ".join(shown.output.split())


def test_a_changed_figure_of_the_table_is_named() -> None:
    raw = history().raw()
    log = KnownSource(Reach(len(raw)), {Scope("partnership/P1"): raw}, None, {})
    answer = asyncio.run(explain(log, Request("statements", "P1/2005-01"))).document
    said = str(verdict(answer))
    assert "They give this figure." in said
    assert EXPORT_SAYS not in said
    changed = structs.replace(answer, figures={**answer.figures, FIELD: 1}, ok=False)
    assert changed.wrong == [FIELD]
    assert f"The entries give: {FIELD} = 600.00. Run yesser rebuild --compare." in str(verdict(changed))


@every(
    ("words", "said"),
    [
        (("PPP", "2005-01", "net"), "Did you mean net_halalas"),
        (("PPP",), "Give the period"),
        (("PPP", "2005-13"), "is not a period"),
        (("cashh:PPP",), "partner-payable"),
        (("cash:PPP", "2005-01"), "leave out PERIOD"),
    ],
)
def test_wrong_use_says_what_to_write(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert (done.exit_code, said in done.output) == (2, True), done.output
