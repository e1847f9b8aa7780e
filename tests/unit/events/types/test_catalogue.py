"""The catalogue is whole: every type has a model, a sender, a subject, a purpose, and no text that is unconstrained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from events.types.catalogue import CATALOGUE, may_send
from events.validation.forms import form_of
from events.validation.models import Shape, event_model
from events.wire.envelope import full_type
from tests.contract.product_texts import ARABIC
from tests.every import every
from tests.paths import ROOT
from tests.world.events import golden_event

CONTRACT = ROOT / "docs" / "events.md"
ROW = re.compile(r"^\| (`[a-z]+\.[^|]+?) \| .* \| (\w+)[^|]* \|$", re.M)


def contract_types() -> dict[str, str]:
    """Type → sender, as the table of the contract lists them; `campaign.triggered` / `.paused` are two."""
    types = {}
    for names, sender in ROW.findall(CONTRACT.read_text(encoding="utf-8")):
        first, *others = re.findall(r"`([a-z.-]+)`", names)
        for name in (first, *(first.partition(".")[0] + other for other in others)):
            types[name] = sender
    return types


def test_the_contract_and_the_catalogue_have_the_same_types_and_senders() -> None:
    lacking = CATALOGUE.keys() ^ contract_types().keys()
    assert not lacking, f"the table in docs/events.md §2 or events/types/catalogue.py lacks {lacking}"
    assert {name: row.sender for name, row in CATALOGUE.items()} == contract_types()


@every("name", CATALOGUE)
def test_the_subject_is_made_of_fields_of_the_model_and_the_purpose_is_said_in_both_languages(name: str) -> None:
    row = CATALOGUE[name]
    names = {field.alias or key for key, field in row.model.model_fields.items()}
    assert set(row.subject.fields) <= names
    event = golden_event(name)
    assert row.subject.of(event["data"]) == event["subject"]
    assert row.purpose.en.endswith(".")
    assert ARABIC.search(row.purpose.ar)


@every("name", CATALOGUE)
def test_every_text_is_constrained_so_that_no_nul_can_pass_and_every_integer_is_bounded(name: str) -> None:
    for path, part in _parts(event_model(name).model_json_schema(), ""):
        if part.get("type") == "string":
            assert {"pattern", "const", "enum"} & set(part), path
        if part.get("type") == "integer":
            assert {"minimum", "maximum"} <= set(part), path


def test_the_office_may_say_what_agencies_may_and_the_platform_only_its_own() -> None:
    office = {name for name, row in CATALOGUE.items() if may_send("office", row)}
    agency = {name for name, row in CATALOGUE.items() if may_send("agency", row)}
    platform = {name for name, row in CATALOGUE.items() if may_send("platform", row)}
    assert agency < office
    assert platform == set(CATALOGUE) - office
    assert platform == {name for name, sender in contract_types().items() if sender == "platform"}


def test_ids_are_found_in_lists_and_objects_too() -> None:
    partnership = {"/data/partnership_id", "/data/partner/partner_id", "/data/services/*"}
    assert ids_of("partnership.signed") == {"/id", *partnership}
    assert ids_of("training.quota-set") == {"/id"}
    assert ids_of("campaign.triggered") == {"/id", "/data/campaign_id", "/data/rule", "/data/service_id"}


def ids_of(name: str) -> set[str]:
    """The places of a type's ids."""

    def below(shape: Shape, at: str) -> Iterator[str]:
        if shape.is_id:
            yield at
        for member, inner in (shape.members or {}).items():
            yield from below(inner, f"{at}/{member}")
        if shape.items:
            yield from below(shape.items, f"{at}/*")

    return set(below(form_of({"type": full_type(name)}).shape, ""))


def _parts(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _parts(item, f"{path}/{key}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _parts(item, f"{path}/{position}")
