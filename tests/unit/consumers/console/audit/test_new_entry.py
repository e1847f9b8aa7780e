"""The page and the proof of an entry that is registered, and signed only a moment later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from consumers.documents.document import document_of
from consumers.documents.log.entries import Proof
from infra.http.problems import Problem
from infra.settings import Settings
from tests.every import every
from tests.unit.consumers.console.audit.proofs import proof_of, signed
from tests.world.memory_log import KEY
from tests.world.pages import OFFICE, Documents, page


async def answer(tmp_path: Path, path: str, *proofs: Any) -> tuple[int, int]:
    """The status of the page where the proof is asked for with these results, and how many are left."""
    proof: Iterator[Any] = iter(proofs)

    def read(name: str, _: Mapping[str, Any]) -> Any:
        if name != "proof_for":
            return []
        if isinstance(found := next(proof), Problem):
            raise found
        return found

    given = await page(OFFICE, path, "ar", read_api=Documents(read), settings=Settings(home=tmp_path))
    return given.status_code, len([*proof])


@every("path", ["/audit/entries/7", "/audit/entries/7/proof"])
async def test_an_entry_that_is_not_signed_yet_is_waited_for(tmp_path: Path, path: str) -> None:
    proof = document_of(Proof, await proof_of(signed(20, KEY)))
    soon = Problem("not-found", retry_after_s=1)
    assert await answer(tmp_path, path, soon, soon, proof) == (200, 0)


async def test_an_entry_that_is_not_there_and_a_database_that_is_away_are_said_at_once(tmp_path: Path) -> None:
    for problem in (Problem("not-found"), Problem("database-away", retry_after_s=1)):
        assert await answer(tmp_path, "/audit/entries/7", problem, None) == (problem.status, 1)
