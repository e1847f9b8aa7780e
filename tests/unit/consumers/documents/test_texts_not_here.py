"""A free text of which only the hash is known: documents and explanations say so, and do not fail."""

from __future__ import annotations

import orjson

from consumers.documents.campaigns.campaigns import Airing
from consumers.documents.document import TEXT_NOT_HERE, document_of
from consumers.documents.log.explanations import Change, Explanation, WholeStep
from consumers.explain.derivations import Derivation
from consumers.explain.explain import Explained, shown

HASH = {"sha256": "0" * 64}
TEXT = {"ar": "نص", "en": "Text"}
SAID = {"ar": TEXT_NOT_HERE.ar, "en": TEXT_NOT_HERE.en}


def explained() -> Explained:
    """A figure that is a text, made by one entry."""
    step = WholeStep(
        index=1,
        recordedtime="2006-01-01T00:00:00.000000Z",
        type="t",
        agency="health",
        subject="s",
        id="e",
        data={"id": "S", "partners": [HASH]},
        waited=(),
        changes={"reason": Change(None, HASH)},
    )
    found = Explanation(
        model="m",
        key="k",
        field=None,
        log_index=2,
        is_complete=True,
        figures={"reason": HASH},
        start={"reason": None},
        total={"reason": HASH},
        ok=True,
        steps_count=1,
        earlier=None,
        steps=(step,),
    )
    return Explained(found, Derivation())


def test_a_row_of_a_fold_becomes_a_document() -> None:
    row = {"airing_id": "A", "index": 1, "channel": "tv", "aired_on": "2006-01-01", "reach": 1, "corrected_index": None}
    assert document_of(Airing, row | {"outlet": HASH}).outlet == TEXT_NOT_HERE
    assert document_of(Airing, row | {"outlet": TEXT}).outlet.en == "Text"


def test_an_explanation_has_the_texts_of_its_source_and_says_where_it_has_none() -> None:
    cases: list[tuple[dict[str, bytes], dict[str, str]]] = [({}, SAID), ({"0" * 64: orjson.dumps(TEXT)}, TEXT)]
    for texts, expected in cases:
        document = shown(explained(), texts).document
        assert (document.figures, document.total, document.start) == (
            {"reason": expected},
            {"reason": expected},
            {"reason": None},
        )
        (step,) = document.steps
        assert step.data == {"id": "S", "partners": [expected]}
        assert step.changes["reason"] == Change(None, expected)
