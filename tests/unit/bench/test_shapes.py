"""The batches of `make bench ONLY=gateway` hold what they are named for."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest

from bench.shapes import AGENCY, BATCH, Shape, make_shapes
from tests.oracle.validation import Agency, Registrar


def events_of(shape: Shape, number: int) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(next(islice(shape.bodies("t"), number, None)))
    return events


@pytest.mark.accept
def test_the_shapes_are_what_they_are_named_for() -> None:
    shapes = make_shapes()
    for key, shape in shapes.items():
        batches = [events_of(shape, number) for number in range(3)]
        assert [len(batch) for batch in batches] == [BATCH] * 3
        assert len({event["id"] for batch in batches for event in batch}) >= 3 * BATCH - 3
        registrar = Registrar(Agency(AGENCY))
        assert {registrar.judge(1, event).kind for event in islice(shape.singles("t"), 200)} == {"accepted"}, key
    assert len(shapes["refused"].odd) > 100
    assert len(shapes["one_odd"].odd) > 100
    # Of the second batch: contracts, which are great, come first in a history.
    types = {key: {event["type"] for event in events_of(shape, 1)} for key, shape in shapes.items()}
    assert (len(types["one_type"]), len(types["one_odd"])) == (1, 2)
    assert len(types["mixed"]) > 8
    assert all(b"},{then" in event for event in islice(shapes["braces"].singles("t"), 100))
    assert all("amount_halalas" in json.dumps(event) for event in events_of(shapes["amounts"], 1))
