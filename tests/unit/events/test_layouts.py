"""What is recognised by its layout has no fault, and what a sender repeats is recognised."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from events import fast_path, layouts
from events.careful_path import judge_carefully
from events.catalogue import CATALOGUE
from events.codec import STRUCTURED_HEADERS, canonical_bytes
from events.door import admit, admit_array, judge
from events.layouts import LEARN_AFTER, Layout, Layouts, layout_of, recognise
from events.validators import checking_schema, types_by_full_name
from events.verdicts import Accepted, Agency, identity_bytes
from tests.unit.events.samples import HEALTH, changed, golden, golden_event, sender_of

GOLDEN = [(path.name, json.loads(raw)) for path, raw in golden()]
SEPARATORS = [(",", ":"), (", ", ": ")]
NATIONAL_ID = "1064971268"
RULED = {name for name, row in CATALOGUE.items() if row.rules}
WITHOUT_LAYOUT = RULED | {"training.quota-set", "registrar.refused"}
"""The subjects of the latter two are not made of texts of the data alone."""
CERTIFIED = golden_event("training.certified")
MOH = sender_of(CERTIFIED)

VALUES: list[Any] = [
    None, True, False, 0, -0.0, -1, 1, 7, 100.0, 1e3, 10**14, 10**15 - 1, 10**15, 2**53 - 1, 2**53, 2**64, 10_001, 1342,
    "", " ", "\u00a0", "\u2003\u2003", "x", "X", "a b", "a\nb", "a\tb", "\x00", "a\x7f", "a\x85", 'a"b', "a\\b", "z",
    "مبادرة", "é" * 2_000, "é" * 2_001, "x" * 64, "x" * 65, "x" * 128, "x" * 129, "x" * 256, "x" * 257, "x" * 2_001,
    "2005-02-28", "2005-02-29", "2004-02-29", "2077-11-16", "2077-11-17", "1924-08-01", "1924-07-31", "1425-01-01",
    "2005-05-05T05:05:05Z", "2005-05-05t05:05:05.123456789z", "2005-05-05T05:05:60Z", "2005-05-05T05:05:05",
    "2005-Q4", "2005-Q5", "2005-12", "2005-13", "gregorian", "umm-al-qura", "Usage", "usage", "month", "tv", "1.0",
    "00000000000000000001", "00000000000000000000", "0000000000000000001", "trn_abcdefghijklmnop", "trn_abcdefgh1",
    "https://example.sa/x", "https://user@[::1]:65/?q#f", "http://example.sa", "https://exa mple.sa", "https://",
    "application/json", "application/json; charset=utf-8", "text/plain", "urn:yesser:agency:health", "health", "h",
    NATIONAL_ID, f"x-{NATIONAL_ID}", f"x{NATIONAL_ID}", f"{NATIONAL_ID}0", "1064971269", "١٠٦٤٩٧١٢٦٨",
    f"٠{NATIONAL_ID}", '","x":"z', [], {}, ["x"], {"ar": "x", "en": "y"},
]  # fmt: skip


def written(event: Any, separators: tuple[str, str] = SEPARATORS[0]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=separators)


def known_layout(event: dict[str, Any], text: str | None = None) -> Layout | None:
    return layout_of(text or written(event), event, types_by_full_name()[event["type"]])


def in_canonical_order(event: dict[str, Any]) -> Any:
    return json.loads(canonical_bytes(event))


def scalars(value: Any, pointer: str = "") -> Iterator[str]:
    """The pointers of everything in a JSON value that holds nothing else."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield pointer
        return
    for key, item in items:
        yield from scalars(item, f"{pointer}/{key}")


def is_beyond_layouts(text: str) -> bool:
    """Whether a good event's text has an escape, or an integer so great that it is looked at with care."""
    return "\\" in text or re.search(r": ?[0-9]{16}", text) is not None


@pytest.mark.parametrize("separators", SEPARATORS)
@pytest.mark.parametrize(("name", "event"), GOLDEN, ids=[name for name, _ in GOLDEN])
def test_every_golden_example_that_can_has_a_layout_and_is_like_itself(
    name: str, event: dict[str, Any], separators: tuple[str, str]
) -> None:
    text = written(event, separators)
    layout = known_layout(event, text)
    short = types_by_full_name()[event["type"]].name
    assert (layout is None) == (short in WITHOUT_LAYOUT), short
    if layout is None:
        return
    assert layout.type == short
    other = written(changed(event, "/id", "another-1"), separators)
    for like_it in (text, other):
        assert (layout.pattern.fullmatch(like_it) is None) == is_beyond_layouts(text)


@pytest.mark.parametrize(("name", "event"), GOLDEN, ids=[name for name, _ in GOLDEN])
def test_whatever_value_stands_anywhere_only_what_has_no_fault_is_recognised(name: str, event: dict[str, Any]) -> None:
    event = {**event, "sequence": "0" * 19 + "7", "traceparent": "00-x-y-01", "correlationid": "c"}
    layout = known_layout(event)
    if layout is None or is_beyond_layouts(written(event)):
        return
    agency = sender_of(event)
    recognised = 0
    for pointer in scalars(event):
        for value in VALUES:
            text = written(changed(event, pointer, value))
            found = layout.pattern.fullmatch(text)
            if found is None:
                continue
            careful = judge_carefully(text.encode(), STRUCTURED_HEADERS, agency)
            recognised += 1
            if not isinstance(careful, Accepted):
                codes = {fault.code for fault in careful.faults}
                assert codes <= {"personal-data", "id-looks-personal"}, (pointer, value, codes)
                continue
            assert layout.said(found) == (careful.id, careful.subject, found["sequence"])
    assert recognised > 50, "few values were recognised: the comparison says little"


def test_an_escape_or_another_number_form_is_never_recognised() -> None:
    event = golden_event("revenue.collected")
    layout = known_layout(event)
    assert layout is not None
    text = written(event)
    amount = str(event["data"]["amount_halalas"])
    for other in ("-1", "0", "01", "+1", "1.0", "1e2", "0x1", "9007199254740992", "١"):
        assert layout.pattern.fullmatch(text.replace(f":{amount}", f":{other}")) is None, other
    for old, new in (
        (event["id"], r"\u0065-1"),
        (event["id"], "e\n1"),
        (',"data"', ',"x":1,"data"'),
        ('"id":', '"id" :'),
    ):
        assert layout.pattern.fullmatch(text.replace(old, new)) is None


def test_a_subject_that_is_not_the_one_of_the_data_is_not_recognised_wherever_it_stands() -> None:
    for event in (CERTIFIED, dict(sorted(CERTIFIED.items()))):
        layout = known_layout(event)
        assert layout is not None
        other = "trn_" + "q" * 16
        both = written(event).replace(event["data"]["trainee"], other)
        assert layout.pattern.fullmatch(both)
        for pointer, value in (("/subject", f"trainee/{other}"), ("/data/trainee", other)):
            assert layout.pattern.fullmatch(written(changed(event, pointer, value))) is None


@pytest.mark.parametrize("separators", SEPARATORS)
@pytest.mark.parametrize("order", [dict, lambda event: dict(sorted(event.items())), in_canonical_order])
@pytest.mark.parametrize(("name", "event"), GOLDEN, ids=[name for name, _ in GOLDEN])
def test_the_text_shows_the_identity_in_any_order(
    name: str, event: dict[str, Any], order: Callable[[Any], Any], separators: tuple[str, str]
) -> None:
    event = order({**event, "sequence": "0" * 19 + "7", "traceparent": "x", "hijridate": None, "partitionkey": "50%"})
    layout = known_layout(event, written(event, separators))
    if layout is None or is_beyond_layouts(written(event)):
        return
    for other in (event, {**event, "id": "another", "sequence": "1" * 20, "time": "2006-05-02T00:00:00Z"}):
        found = layout.pattern.fullmatch(written(other, separators))
        assert found is not None
        assert layout.identity_bytes(found) == identity_bytes(other)


def test_no_text_is_looked_at_in_more_than_one_way() -> None:
    """What excludes characters stands in an atomic group: else the time for some texts would grow with its square."""
    for _, event in GOLDEN:
        layout = known_layout(event)
        if layout is not None:
            outside = re.sub(r'\(\?>.*?\)"', "", layout.pattern.pattern.replace('(?=[^"]', ""))
            assert "[^" not in outside


def texts(schema: Any) -> Iterator[Any]:
    """The schemas of all texts of a type."""
    if schema["type"] == "str":
        yield schema
    for part in (field["schema"] for field in schema.get("fields", {}).values()):
        yield from texts(part)
    for name in ("schema", "items_schema"):
        if name in schema:
            yield from texts(schema[name])


def shows_only_listed_characters(parsed: Any) -> bool:
    """Whether no part of a parsed pattern matches what is not listed in it."""
    for operation, argument in parsed:
        name = str(operation)
        if name in ("ANY", "NOT_LITERAL", "CATEGORY", "NEGATE"):
            return False
        parts = argument if isinstance(argument, (list, tuple)) else ()
        if name == "IN" and not shows_only_listed_characters(argument):
            return False
        if name == "BRANCH" and not all(map(shows_only_listed_characters, argument[1])):
            return False
        if name in ("SUBPATTERN", "MAX_REPEAT", "ATOMIC_GROUP") and not shows_only_listed_characters(parts[-1]):
            return False
        first, last = argument if name == "RANGE" else (argument, argument) if name == "LITERAL" else (0x20, 0x20)
        if first < 0x20 or any(first <= ord(end) <= last for end in '"\\'):
            return False
    return True


def test_a_pattern_that_excludes_nothing_lists_what_it_allows() -> None:
    """So it cannot run over the end of a text, and where `subject` repeats it no character is a control character."""
    patterns = {text["pattern"] for name in CATALOGUE for text in texts(checking_schema(name))}
    listed = {pattern for pattern in patterns if "[^" not in pattern}
    assert len(listed) > 10
    for pattern in listed:
        assert shows_only_listed_characters(re._parser.parse(pattern)), pattern  # type: ignore[attr-defined]


def numbered(first: int, count: int = LEARN_AFTER, sender: str = "health") -> list[bytes]:
    event = {**CERTIFIED, "source": f"urn:yesser:agency:{sender}"}
    return [written({**event, "id": f"c-{number}"}).encode() for number in range(first, first + count)]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Layouts:
    """The door as it begins."""
    known = Layouts()
    monkeypatch.setattr(fast_path, "_LAYOUTS", known)
    return known


def test_what_a_sender_repeats_is_learned_for_him_alone(fresh: Layouts) -> None:
    events = numbered(0)
    for event in events[:-1]:
        admit(event, STRUCTURED_HEADERS, HEALTH)
    assert fresh.of(HEALTH) == []
    admit(events[-1], STRUCTURED_HEADERS, HEALTH)
    assert [layout.type for layout in fresh.of(HEALTH)] == ["training.certified"]
    assert fresh.of(Agency("health", "office")) == []
    assert fresh.of(Agency("moi", "agency")) == []
    assert recognise(fresh.of(HEALTH), numbered(0, 1, "moi")[0].decode()) is None


def test_what_was_learned_says_what_the_definition_says(fresh: Layouts) -> None:
    for event in numbered(0):
        judge(event, STRUCTURED_HEADERS, HEALTH)
    for event in (*numbered(LEARN_AFTER, 3), numbered(0, 1)[0].replace(b"c-0", NATIONAL_ID.encode())):
        verdict, careful = judge(event, STRUCTURED_HEADERS, HEALTH), judge_carefully(event, STRUCTURED_HEADERS, HEALTH)
        assert type(verdict) is type(careful)
        if isinstance(verdict, Accepted) and isinstance(careful, Accepted):
            assert (verdict.identity, verdict.claim, verdict.id) == (careful.identity, careful.claim, careful.id)


def test_the_newest_eight_layouts_of_a_sender_are_kept_the_last_used_first(fresh: Layouts) -> None:
    fresh._learn_after = 1
    attributes = [{"correlationid": "c", "hijridate": "1426-01-01"}, {"correlationid": "c"}, {"partitionkey": "p"}]
    orders = [dict(list(CERTIFIED.items())[turn:] + list(CERTIFIED.items())[:turn]) for turn in range(1, 8)]
    shapes = [CERTIFIED, *orders, *({**CERTIFIED, **more} for more in attributes)]
    for event in shapes:
        judge(written(event).encode(), STRUCTURED_HEADERS, MOH)
    assert len(fresh.of(MOH)) == layouts._PER_SENDER_MAX
    oldest = fresh.of(MOH)[-1]
    assert recognise(fresh.of(MOH), written(shapes[-8])) is not None
    assert fresh.of(MOH)[0] is oldest
    judge(written(shapes[-1]).encode(), STRUCTURED_HEADERS, MOH)
    assert len(fresh.of(MOH)) == layouts._PER_SENDER_MAX


def test_of_too_many_layouts_all_are_forgotten(fresh: Layouts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_LAYOUTS_MAX", 3)
    fresh._learn_after = 1
    agencies = [Agency(f"agency-{letter}", "agency") for letter in "abcde"]
    for agency in agencies:
        judge(numbered(0, 1, agency.code)[0], STRUCTURED_HEADERS, agency)
    assert [bool(fresh.of(agency)) for agency in agencies] == [False, False, False, True, True]


def array(*events: bytes, between: bytes = b",") -> bytes:
    return b"[" + between.join(events) + b"]"


def test_an_array_is_admitted_at_once_where_every_event_is_like_a_known_one(fresh: Layouts) -> None:
    events = numbered(0, 5)
    assert admit_array(array(*events), HEALTH, 5) is None
    for event in numbered(0):
        admit(event, STRUCTURED_HEADERS, HEALTH)
    for between in (b",", b", "):
        assert admit_array(array(*events, between=between), HEALTH, 5) == ([f"c-{n}" for n in range(5)], events)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda events: array(*events, events[0]),
        lambda events: array(*events)[:-1],
        lambda events: array(*events) + b" ",
        lambda events: b" " + array(*events),
        lambda events: array(*events, between=b" ,"),
        lambda events: array(*events, between=b",,"),
        lambda events: array(*events, b""),
        lambda events: array(b"", *events),
        lambda events: array(*events[:2], b"null"),
        lambda events: array(*events[:2], array(events[2])),
        lambda events: b"[" + array(*events) + b"]",
        lambda events: array(*events).replace(b"}},{", b"}}][{", 1),
        lambda events: array(*events).replace(b"c-1", NATIONAL_ID.encode()),
        lambda events: array(*events).replace(b"c-1", "ج".encode()),
        lambda events: array(*events).replace(b"c-1", b"\xff"),
        lambda events: array(*events).replace(b'"c-1"', b'"c-1","x":1'),
        lambda events: array(*events).replace(b"agency:health", b"agency:moi", 1),
        lambda events: b"[]",
        lambda events: b"[",
        lambda events: b"",
    ],
)
def test_an_array_that_is_not_surely_good_is_left_to_the_single_verdicts(fresh: Layouts, spoil: Any) -> None:
    for event in numbered(0):
        admit(event, STRUCTURED_HEADERS, HEALTH)
    assert admit_array(spoil(numbered(0, 3)), HEALTH, 3) is None


def test_an_event_that_is_too_large_is_not_recognised(fresh: Layouts, monkeypatch: pytest.MonkeyPatch) -> None:
    for event in numbered(0):
        admit(event, STRUCTURED_HEADERS, HEALTH)
    events = numbered(0, 2)
    monkeypatch.setattr(fast_path, "EVENT_BYTES_MAX", len(events[0]))
    assert admit_array(array(*events), HEALTH, 2) is not None
    monkeypatch.setattr(fast_path, "EVENT_BYTES_MAX", len(events[0]) - 1)
    assert admit_array(array(*events), HEALTH, 2) is None
    assert fast_path.accept_quickly(events[0], HEALTH) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "int", "strict": True, "ge": 0, "le": 2**53 - 1, "multiple_of": 5},
        {"type": "int", "strict": True},
        {"type": "str", "strict": True, "pattern": "^[a-z]+$", "to_upper": True},
        {"type": "str", "strict": True, "pattern": "[a-z]+"},
        {"type": "float", "strict": True},
    ],
)
def test_a_constraint_that_is_not_known_leaves_only_the_proven_value(schema: dict[str, Any]) -> None:
    assert layouts._allowed("", schema) is None
