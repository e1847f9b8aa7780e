"""What somebody typed becomes a report, or faults beside the fields."""

from __future__ import annotations

from typing import Any

from consumers.console.data.gateway import Reply
from consumers.console.pages.campaigns.report_pages import (
    FIELDS,
    differing_airing,
    faults_of,
    general_fault,
    read_acknowledgement,
    read_airing,
    read_completion,
    read_correction,
)
from events.reports.campaign_reports import Action
from producers.sdk.answers import Problem
from tests.every import every

CAMPAIGN = "service-launched.i4"
TODAY = "2026-11-26"
AIRED = {"channel": "tv", "outlet_ar": "القناة الأولى", "outlet_en": "Channel One", "on": TODAY, "reach": "250000"}


def good(found: Any) -> Action:
    assert isinstance(found, Action), found
    return found


def data_of(found: Any) -> dict[str, Any]:
    return good(found).data.model_dump()


def test_a_desk_acknowledges_today_and_a_completion_has_a_date() -> None:
    acknowledged = read_acknowledgement(CAMPAIGN, {"by": " press-desk "}, TODAY)
    assert good(acknowledged).event_id == f"ack.{CAMPAIGN}"
    assert data_of(acknowledged) == {"campaign_id": CAMPAIGN, "by": "press-desk", "on": TODAY}
    for by in ("", "press desk", "مكتب", "a" * 65, "<script>"):
        assert {*read_acknowledgement(CAMPAIGN, {"by": by}, TODAY)} == {"by"}, by  # type: ignore[misc]
    assert data_of(read_completion(CAMPAIGN, {"on": ""}, TODAY))["on"] == TODAY
    for on in ("soon", "2026-11-27"):
        assert {*read_completion(CAMPAIGN, {"on": on}, TODAY)} == {"on"}, on  # type: ignore[misc]


@every(
    ("field", "typed", "value"),
    [
        ("reach", "250000", 250_000),
        ("reach", "250,000", 250_000),
        ("reach", "٢٥٠٬٠٠٠", 250_000),
        ("reach", "0", 0),
        ("reach", " 12 000 ", 12_000),
        ("on", "", TODAY),
        ("on", "٢٠٢٦-١١-٢٥", "2026-11-25"),
    ],
)
def test_people_reached_and_days_are_read_as_people_write_them(field: str, typed: str, value: Any) -> None:
    assert data_of(read_airing(CAMPAIGN, AIRED | {field: typed}, TODAY))[field] == value


@every(
    ("changed", "field"),
    [
        ({"channel": "web"}, "channel"),
        ({"outlet_ar": " "}, "outlet_ar"),
        ({"outlet_en": ""}, "outlet_en"),
        ({"on": "2026-02-30"}, "on"),
        ({"on": "yesterday"}, "on"),
        ({"on": "2026-11-27"}, "on"),
        ({"reach": "-1"}, "reach"),
        ({"reach": "1.5"}, "reach"),
        ({"reach": "4,0000"}, "reach"),
        ({"reach": ""}, "reach"),
        ({"reach": "9" * 16}, "reach"),
        ({"reach": "²"}, "reach"),
        ({"airing_id": "second one"}, "airing_id"),
    ],
)
def test_a_fault_stands_beside_its_field(changed: dict[str, str], field: str) -> None:
    assert set(read_airing(CAMPAIGN, AIRED | changed, TODAY)) == {field}  # type: ignore[arg-type]


def test_an_empty_form_has_all_its_faults_at_once() -> None:
    faults = read_airing(CAMPAIGN, {}, TODAY)
    assert set(faults) == {"channel", "outlet_ar", "outlet_en", "reach"}  # type: ignore[arg-type]


def test_another_airing_of_the_outlet_on_that_day_needs_an_id_of_its_own() -> None:
    action = good(read_airing(CAMPAIGN, AIRED, TODAY))
    row = {"airing_id": data_of(action)["airing_id"], "channel": "tv", "aired_on": TODAY, "reach": 250_000, "index": 9}
    assert differing_airing(action, {"airings": []}) == {}
    assert differing_airing(action, {"airings": [row]}) == {}
    faults = differing_airing(action, {"airings": [row | {"reach": 1}]})
    assert "Entry 9" in faults["airing_id"].en  # type: ignore[union-attr]


def test_a_correction_chooses_an_airing_and_gives_its_number_and_why() -> None:
    shown = {"campaign_id": CAMPAIGN, "airings": [{"airing_id": "A", "index": 9, "reach": 90, "corrected_index": None}]}
    typed = {"airing": "9", "reach": "٢٥٬٠٠٠", "reason_ar": "صفر ناقص", "reason_en": " A missing zero "}
    data = data_of(read_correction(shown, typed, TODAY))
    assert (data["airing_id"], data["reach"], data["reason"]["en"]) == ("A", 25_000, "A missing zero")
    faults = read_correction(shown, {}, TODAY)
    assert isinstance(faults, dict)
    assert set(faults) == {"airing", "reach", "reason_ar", "reason_en"}
    assert len({repr(fault) for fault in faults.values()}) == 4, (
        "two fields with one sentence look like a doubled error"
    )
    assert {*read_correction(shown, typed | {"reach": "90"}, TODAY)} == {"reach"}  # type: ignore[misc]
    for airing in ("8", "A", ""):
        assert {*read_correction(shown, typed | {"airing": airing}, TODAY)} == {"airing"}, airing  # type: ignore[misc]


def problem(status: int = 422, **document: Any) -> Problem:
    return Reply(status, document).problem


def test_the_gateways_faults_stand_beside_their_fields_and_others_above_the_form() -> None:
    errors = [
        {"pointer": "/data/outlet/ar", "detail": "Control characters."},
        {"pointer": "/data/outlet/ar", "detail": "a second fault"},
        {"pointer": "/time", "detail": "No such time."},
    ]
    assert faults_of(problem(errors=errors), FIELDS) == {"outlet_ar": "Control characters.", "": "No such time."}
    errors = [{"pointer": "/contacts/1", "detail": "No address."}, {"pointer": "", "detail": "Odd."}]
    assert faults_of(problem(errors=errors), ["contacts"]) == {"contacts": "No address.", "": "Odd."}
    assert general_fault(problem(errors=errors)) == "No address. Odd."
    nothing = Reply(503, None).problem
    assert faults_of(nothing, ()) == {"": general_fault(nothing)}
    assert general_fault(problem(429, title="Too many requests", detail="Wait.")) == "Too many requests Wait."
