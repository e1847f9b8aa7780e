"""`yesser ledger reconcile`: one type of rows for a table, a file of findings that a spreadsheet may open."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consumers.explain.ledger.command_line import reconcile
from consumers.explain.ledger.reconcile import SHOWN_MAX
from tests.world.partnership import History

MAPPING = """
[columns]
type = { pointer = "/type", values = { in = "sa.gov.yesser.revenue.collected.v1", out = "sa.gov.yesser.revenue.reversed.v1" } }
id = { pointer = "/data/receipt_id" }
on = { pointer = "/data/collected_on" }
amount = { pointer = "/data/amount_halalas", type = "riyals" }
"""  # noqa: E501 - an inline table of TOML has one line


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History((100, "2005-01-05"))

    async def entries_of(_: object, subject: str) -> list[tuple[int, bytes]]:
        return history.raw() if subject == "partnership/P1" else []

    monkeypatch.setattr(reconcile, "entries_of", entries_of)


def run(folder: Path, table: str, partnership: str = "P1", mapping: str = MAPPING) -> Result:
    """The command with `--csv findings.csv`."""
    (folder / "bank.csv").write_text(f"type,id,on,amount\n{table}")
    (folder / "bank.toml").write_text(mapping)
    words = [partnership, str(folder / "bank.csv"), "--mapping", str(folder / "bank.toml")]
    return CliRunner().invoke(reconcile.reconcile_command, [*words, "--csv", str(folder / "findings.csv")])


def test_rows_of_two_types_a_mapping_of_all_data_and_a_pipe_are_wrong_use(tmp_path: Path) -> None:
    two = run(tmp_path, "in,R1,2005-01-05,1\nout,R2,2005-01-06,1\n")
    constants = '[constants]\n"/data" = "x"\n"/type" = "sa.gov.yesser.revenue.collected.v1"\n'
    columns = "[columns]\n" + "".join(f"{name} = {{}}\n" for name in ("type", "id", "on", "amount"))
    filled = run(tmp_path, "in,R1,2005-01-05,1\n", mapping=constants + columns)
    (tmp_path / "bank.toml").write_text(MAPPING)
    source, target = os.pipe()
    os.write(target, b"type,id,on,amount\nin,R1,2005-01-05,1\n")
    os.close(target)
    words = ["P1", f"/dev/fd/{source}", "--mapping", str(tmp_path / "bank.toml")]
    piped = CliRunner().invoke(reconcile.reconcile_command, words)
    os.close(source)
    lines = "line 3 is a revenue.reversed and the lines before are revenue.collected: make a table of each type"
    for done, said in (
        (two, lines),
        (filled, 'the mapping fills "/data" itself'),
        (piped, "A table is read twice: give a file, not a pipe"),
    ):
        assert (done.exit_code, said in " ".join(done.output.split())) == (2, True), (done.output, done.exception)


def test_an_id_of_the_file_runs_no_formula_in_the_file_of_findings(tmp_path: Path) -> None:
    done = run(tmp_path, 'in,R1,2005-01-05,1\nin,"=HYPERLINK(""http://x"")",2005-01-05,2\n')
    assert done.exit_code == 1, done.output
    with (tmp_path / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["R1", '\'=HYPERLINK("http://x")']


def test_an_unknown_partnership_is_said_and_no_row_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "in,R1,2005-01-05,1\n", "P9")
    assert done.exit_code == 1
    assert "No entry signs this partnership" in str(done.exception)
    assert not (tmp_path / "findings.csv").exists()


def test_the_terminal_shows_the_first_findings_and_the_file_all(tmp_path: Path) -> None:
    rows = "".join(f"in,X{number},2005-01-05,1\n" for number in range(SHOWN_MAX + 3))
    done = run(tmp_path, rows)
    assert done.exit_code == 1, done.output
    assert (f"X{SHOWN_MAX - 1} " in done.output, f"X{SHOWN_MAX} " in done.output) == (True, False)
    assert "4 more are not shown: --csv FILE." in done.output, "three, and the entry that is missing in the file"
    with (tmp_path / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == SHOWN_MAX + 4
