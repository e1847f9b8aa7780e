"""The forms that the types' schemas make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from consumers.console.pages.workspace.entered import (
    COUNT,
    DATA,
    GIVEN,
    Choices,
    Group,
    Leaf,
    Many,
    Node,
    entered,
    faults_by_name,
    form_of,
    with_added,
    without,
)
from consumers.console.pages.workspace.shown import (
    CHOICE_NAMES,
    elsewhere,
    faulty,
    in_words,
    label_of,
    many_by_name,
    names_of,
    shown,
)
from events.faults.problems import Fault
from events.schema_tools.refusal_examples import EXAMPLES_FOLDER
from events.types.catalogue import CATALOGUE, may_send
from events.validation.verdicts import Agency
from events.wire.envelope import short_type
from tests.every import every

HEALTH, OFFICE = Agency("health", "agency"), Agency("yesser", "office")
SENDABLE = [name for name, row in CATALOGUE.items() if may_send("office", row)]
HEAD = {"id": ["a"], "time": ["2006-03-01T09:30"]}
RECEIPT = {
    "id": ["receipt-1"],
    "time": ["2006-03-01T09:30:15"],
    "data.receipt_id": ["R-1"],
    "data.partnership_id": ["P-1"],
    "data.service_id": ["SVC-1"],
    "data.amount_halalas": ["1250.5"],
    "data.collected_on": ["2006-03-01"],
    "data.receipts": ["1"],
}


def typed(nodes: Sequence[Node], data: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """What somebody types to make this data."""
    for node in nodes:
        if node.name in data:
            yield from typed_one(node, f"{DATA}.{node.name}", data[node.name])


def typed_one(node: Node, name: str, value: Any) -> Iterator[tuple[str, list[str]]]:
    match node:
        case Leaf(kind="riyals" | "percent"):
            yield name, [] if value is None else [f"{value // 100}.{value % 100:02d}"]
        case Leaf():
            yield name, [] if value is None else [str(value).lower() if isinstance(value, bool) else str(value)]
        case Choices():
            yield name, list(value)
        case Group():
            if value is not None:
                yield name + GIVEN, ["1"]
                for member in node.members:
                    if member.name in value:
                        yield from typed_one(member, f"{name}.{member.name}", value[member.name])
        case Many():
            yield name + COUNT, [str(len(value))]
            for number, item in enumerate(value):
                yield from typed_one(node.item, f"{name}.{number}", item)


def leaves(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        inner = node.members if isinstance(node, Group) else (node.item,) if isinstance(node, Many) else ()
        yield from leaves(inner)


@every("path", sorted(EXAMPLES_FOLDER.glob("*.json")))
def test_every_example_of_a_type_that_people_send_can_be_typed(path: Any) -> None:
    example = orjson.loads(path.read_bytes())
    name = short_type(example["type"])
    if name not in SENDABLE:
        assert CATALOGUE[name].sender == "platform"
        return
    values = dict(typed(form_of(name), example["data"]))
    sender = Agency(example["source"].rpartition(":")[2], "office")
    found = entered(name, sender, HEAD | {"id": [example["id"]]} | values)
    assert found.faults == {}
    event = orjson.loads(found.event_bytes)
    assert (event["data"], event["subject"], event["id"]) == (example["data"], example["subject"], example["id"])
    assert event["time"] == "2006-03-01T09:30:00+03:00"


@every("name", SENDABLE)
def test_every_field_has_words_and_no_word_of_the_json(name: str) -> None:
    for node in leaves(form_of(name)):
        label = label_of(node)
        assert label.ar
        assert label.en
        for word in ("halala", "1/10,000", "null", "هلل", "عشرة آلاف"):
            assert word not in f"{label.ar} {label.en}", (name, node.name)
        assert all(choice in CHOICE_NAMES for choice in getattr(node, "choices", ())), node.name


@every(
    ("text", "halalas"),
    [
        *(("1250.5", 125050), ("1,250.50", 125050), ("١٢٥٠٫٥", 125050), ("١٬٢٥٠٫٥٠", 125050), ("0.01", 1)),
        *((" 7 ", 700), ("90071992547409.91", 9007199254740991), ("0.29", 29), ("1.10", 110)),
    ],
)
def test_riyals_become_halalas_exactly(text: str, halalas: int) -> None:
    found = entered("revenue.collected", HEALTH, RECEIPT | {"data.amount_halalas": [text]})
    assert found.faults == {}
    assert found.data["amount_halalas"] == halalas


@every("text", ["12.345", "1,25", "1e3", "12.", "abc", "1 250", "9" * 30, "9007199254740992", "--1"])
def test_an_amount_that_is_none_stays_as_it_was_typed_and_says_how_to_write_it(text: str) -> None:
    found = entered("revenue.collected", HEALTH, RECEIPT | {"data.amount_halalas": [text]})
    assert found.event_bytes == b""
    ((name, (fault, *_)),) = found.faults.items()
    how = "Write the amount in riyals with at most two decimals, such as 1250.50."
    assert (name, fault.en) == ("data.amount_halalas", how)


def test_what_is_empty_is_absent_and_an_empty_form_asks_for_each_required_field_at_its_place() -> None:
    launch = {"data.service_id": ["S"], "data.on": ["2006-03-01"], "data.channels": ["kiosk", "web"], "data.url": [""]}
    found = entered("service.launched", HEALTH, HEAD | launch)
    assert found.data == {"service_id": "S", "on": "2006-03-01", "channels": ["web", "kiosk"]}
    found = entered("service.launched", HEALTH, {})
    assert set(found.faults) == {"id", "time", "data.service_id", "data.on", "data.channels"}
    assert {faults[0].en for faults in found.faults.values()} == {"Fill in this field."}
    fields = shown(form_of("service.launched"), {}, found.faults)
    assert [field.name for field in faulty(fields)] == ["data.service_id", "data.on", "data.channels"]
    assert elsewhere(fields, found.faults) == []


def test_a_fault_stands_at_its_field_however_deep_it_is_else_in_the_summary() -> None:
    example = orjson.loads((EXAMPLES_FOLDER / "partnership.signed.json").read_bytes())
    values = dict(typed(form_of("partnership.signed"), example["data"]))
    values |= {"data.terms.bands.1.partner_bp": ["101"], "data.terms.expected.3.period": ["1426-13"]}
    found = entered("partnership.signed", HEALTH, HEAD | values)
    assert set(found.faults) == {"data.terms.bands.1.partner_bp", "data.terms.expected.3.period"}
    fields = shown(form_of("partnership.signed"), values, found.faults)
    assert [field.name for field in faulty(fields)] == sorted(found.faults)
    faults = faults_by_name([Fault("", "too-large", ""), Fault("/data/nothing", "unknown-field", "Unknown field.")])
    fields = shown(form_of("service.launched"), {}, faults)
    assert len(elsewhere(fields, faults)) == 2


def test_a_person_s_number_in_a_text_is_refused_at_its_field_and_markup_and_controls_stay() -> None:
    given = HEAD | {"data.reason.en": ["x"], "data.service_id": ["S"], "data.on": ["2006-03-01"]}
    found = entered("service.suspended", HEALTH, given | {"data.reason.ar": ["هوية 1000000008"]})
    assert list(found.faults) == ["data.reason.ar"]
    text = "<script>alert(1)</script>\u202e abc\r\nline"
    found = entered("service.suspended", HEALTH, given | {"data.reason.ar": [text]})
    assert found.faults == {}
    assert found.data["reason"]["ar"] == "<script>alert(1)</script>\u202e abc\nline"


def test_a_group_that_does_not_apply_is_null_whatever_its_fields_hold() -> None:
    values = {"data.terms.cap.amount_halalas": ["100"], "data.terms.cap.partner_bp_after": ["1"]}
    assert entered("partnership.signed", HEALTH, values).data["terms"]["cap"] is None
    given = values | {f"data.terms.cap{GIVEN}": ["1"]}
    cap = entered("partnership.signed", HEALTH, given).data["terms"]["cap"]
    assert cap == {"amount_halalas": 10000, "partner_bp_after": 100}


def test_a_list_grows_up_to_its_bound_and_loses_the_item_that_is_named() -> None:
    name = "data.phases"
    many = many_by_name(form_of("project.registered"), name)
    assert isinstance(many, Many)
    values = {f"{name}{COUNT}": ["2"], f"{name}.0.phase": ["1"], f"{name}.1.phase": ["2"], "id": ["a"]}
    grown = with_added(values, name, 1, many.most)
    assert grown[f"{name}{COUNT}"] == ["3"]
    assert with_added(values, name, 500, many.most)[f"{name}{COUNT}"] == [str(many.most)]
    left = without(grown, name, 0)
    assert left == {f"{name}{COUNT}": ["2"], f"{name}.0.phase": ["2"], "id": ["a"]}
    for other in ("data", "id", "data.on", "data.phases.0", "data.nothing", "data.phases.0.name", ""):
        assert many_by_name(form_of("project.registered"), other) is None, "only a list can grow"
    for count in ("-1", "1e9", "999999999", "x", "٣"):
        fields = shown(form_of("project.registered"), {f"{name}{COUNT}": [count]}, {})
        assert len(list(names_of(fields))) < 500, count


def test_an_event_is_said_in_words() -> None:
    example = orjson.loads((EXAMPLES_FOLDER / "partnership.signed.json").read_bytes())
    rows = in_words(form_of("partnership.signed"), example["data"])
    assert [row.kind for row in rows] == ["code", "rows", "rows", "rows", "date", "rows"]
    terms = {row.label.en: row for row in rows[-1].rows}
    bands = terms["The bands, ascending; only the last has no limit"].rows
    assert (bands[0].rows[0].kind, bands[0].rows[0].value) == ("riyals", 1000000000)
    assert bands[2].rows[0].value.en == "None"
    assert terms["The calendar of the periods"].value.en == "Umm al-Qura calendar"
