"""The batches of `make bench-gateway` hold what they are named for."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from bench.shapes import AGENCY, BATCH, Shape, make_shapes
from tests.oracle.validation import Agency, Registrar


@pytest.fixture(scope="module")
def shapes() -> dict[str, Shape]:
    return make_shapes()


def first_batch(shape: Shape) -> list[dict[str, object]]:
    """The second one: contracts, which are great, come first in a history."""
    return list(json.loads(list(islice(shape.bodies("t"), 2))[1]))


def test_each_batch_has_100_events_with_ids_of_their_own(shapes: dict[str, Shape]) -> None:
    for shape in shapes.values():
        batches = [json.loads(body) for body in islice(shape.bodies("t"), 3)]
        assert [len(batch) for batch in batches] == [BATCH] * 3
        assert len({event["id"] for batch in batches for event in batch}) >= 3 * BATCH - 3


def test_what_is_sent_is_accepted_but_for_one_of_a_batch_with_a_refused_event(shapes: dict[str, Shape]) -> None:
    for key, shape in shapes.items():
        registrar = Registrar(Agency(AGENCY))
        good = sum(registrar.judge(1, event).kind == "accepted" for event in islice(shape.singles("t"), 200))
        assert good == 200, key
    assert len(shapes["refused"].odd) > 100
    assert len(shapes["one_odd"].odd) > 100


def test_the_shapes_are_what_they_are_named_for(shapes: dict[str, Shape]) -> None:
    types = {key: {event["type"] for event in first_batch(shapes[key])} for key in shapes}
    assert len(types["one_type"]) == 1
    assert len(types["one_odd"]) == 2
    assert len(types["mixed"]) > 8
    assert all(b"},{then" in event for event in islice(shapes["braces"].singles("t"), 100))
    assert all("amount_halalas" in json.dumps(event) for event in first_batch(shapes["amounts"]))
