"""Texts that are taken out of an event and put back, whatever the event and however it was written."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from events.types.catalogue import FREE_TEXTS
from events.validation.texts import has_free_texts, is_same, without_texts
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.texts import Kept, hashes_in, new_salt, put_back, text_sha256
from tests.every import every
from tests.paths import ROOT


def written(value: Any, random: Random) -> str:
    """The JSON of a value with any spaces, escapes, and order of members."""
    space = random.choice(("", " ", "\n", "\t "))
    if isinstance(value, dict):
        members = [f"{written(k, random)}{space}:{space}{written(v, random)}" for k, v in value.items()]
        random.shuffle(members)
        return "{" + space + f"{space},".join(members) + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(written(member, random) for member in value) + space + "]"
    if isinstance(value, str):
        return '"' + "".join(random.choice((json.dumps(c)[1:-1], escaped(c))) for c in value) + '"'
    return json.dumps(value)


def escaped(character: str) -> str:
    """A character as the escapes of its UTF-16 code units."""
    units = character.encode("utf-16-be")
    return "".join(rf"\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2))


def accepted(value: bytes) -> Accepted:
    source = orjson.loads(value)["source"]
    agency = Agency(source.rpartition(":")[2], "office" if source.endswith(":yesser") else "agency")
    verdict = validate(value, STRUCTURED_HEADERS, agency)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def changed(value: Any, by: str) -> Any:
    """Another text in its place."""
    return [*value, {"ar": "نص", "en": f"word{by}"}] if isinstance(value, list) else {**value, "en": value["en"] + by}


@every("name", sorted(FREE_TEXTS))
@given(seeds=st.tuples(st.integers(), st.integers(), st.integers()), text=st.sampled_from(("", '"/\\', "يسر😀")))
@settings(max_examples=20)
def test_what_was_taken_out_gives_the_same_bytes_and_a_repeat_is_known_however_it_is_written(
    name: str, seeds: tuple[int, int, int], text: str
) -> None:
    first, second, third = map(Random, seeds)
    document = orjson.loads((ROOT / f"events/examples/v1/{name}.json").read_bytes())
    members = sorted(FREE_TEXTS[name] & document["data"].keys())
    assert members
    for member in members:
        document["data"][member] = changed(document["data"][member], text)
    sent = written(document, first).encode()
    event = accepted(sent)
    raw, identity, texts = without_texts(event, new_salt)
    assert has_free_texts(event)
    assert sorted(one.member for one in texts) == members
    assert sorted(hashes_in(raw)) == sorted(one.sha256.hex() for one in texts)
    assert all(text_sha256(one.salt, one.written) == one.sha256 for one in texts)
    assert put_back(raw, {one.sha256.hex(): one.written for one in texts}) == sent
    kept = {one.member: Kept(one.sha256, one.salt) for one in texts}
    assert is_same(accepted(written(document, second).encode()), identity, kept)
    member = third.choice(members)
    document["data"][member] = changed(document["data"][member], "x")
    other = accepted(written(document, third).encode())
    assert not is_same(other, identity, kept)
    assert is_same(other, identity, {**kept, member: Kept(kept[member].sha256, None)}), "withheld: not compared"
