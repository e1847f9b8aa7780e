"""A field of a document is on every surface that is made from it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import click
import orjson
import pytest
from click.testing import CliRunner
from jinja2 import Environment
from msgspec import Struct
from rich.console import Console

from consumers.console.web.language import Words
from consumers.console.web.templates import Templates, cell, label
from consumers.documents.campaigns.campaigns import AGENCIES, INBOX, AgencyCoverage, CoverageTotal
from consumers.documents.document import Count, Date, EventType, Halalas, Instant, Label, Listing, Name, document_of
from consumers.documents.ledger.partnerships import PARTNERSHIPS, Partnership
from consumers.documents.log.entries import AgencyMonth, Anomaly
from consumers.documents.names import Names, codes_in
from consumers.documents.programme.directory import Service, ServiceAndHistory, ServiceChannel, ServiceState, Step
from consumers.documents.programme.plan import ServiceGroups
from consumers.documents.tables import csv_file, grid, use_names
from consumers.documents.teams.teams import Subscribed
from consumers.documents.teams.webhooks import Webhook
from events.types.catalogue import CATALOGUE
from events.values.bilingual import Language
from infra.http.documents import schema_of
from infra.json_documents import from_json, to_json
from tests.every import every
from tests.world.campaigns import SERVICE, inbox_item
from tests.world.partnership import DOCUMENT
from tests.world.plan import SERVICE_ROW


class Wider(ServiceAndHistory, frozen=True, kw_only=True):
    suspended_on: Annotated[Date | None, Label("أول إيقاف", "First suspended")]


NAME: Final = {"ar": "موعد <عيادة>", "en": "=Appointment"}
ROW: Final[dict[str, Any]] = SERVICE_ROW | {"name": NAME, "history": [], "suspended_on": "2006-01-31"}
LISTING: Final = Listing("الخدمات", "Services", Wider)
SUSPENDED: Final = document_of(Wider, ROW)


def test_json_is_the_row_in_the_order_of_the_fields_also_with_a_number_beyond_64_bits() -> None:
    assert from_json(to_json(SUSPENDED)) == ROW
    assert to_json([SUSPENDED]) == orjson.dumps([ROW])
    long = document_of(Wider, ROW | {"last_index": 2**70})
    assert from_json(to_json({"services": [long]})) == {"services": [ROW | {"last_index": 2**70}]}


def test_the_schema_has_each_field_and_its_values() -> None:
    schema = schema_of(Wider)
    assert [*schema["properties"]] == schema["required"] == [*ROW]
    assert schema["properties"]["suspended_on"]["anyOf"][0] == {"type": "string", "format": "date"}
    assert sorted(schema["properties"]["state"]["enum"]) == sorted(state.value for state in ServiceState)
    assert schema["properties"]["state"]["type"] == "string"
    assert "$ref" not in str(schema)
    assert schema_of(list[Wider]) == {"type": "array", "items": schema}
    months = schema_of(AgencyMonth)["properties"]
    assert "nothing-sent" not in months["status"]["enum"], "what is said of the field, not of its type, holds"
    backfill = schema_of(Subscribed)["properties"]["backfill"]["anyOf"][0]
    assert (sorted(backfill["required"]), sorted(backfill["properties"])) == (["from", "to"], ["from", "to"])
    assert schema_of(ServiceGroups)["properties"]["groups"]["required"] == ["1", "2", "3"]


def test_a_file_has_each_labelled_field_and_runs_no_formula() -> None:
    names, row = csv.reader(io.StringIO(csv_file(LISTING, [SUSPENDED]).removeprefix("\ufeff")))
    assert dict(zip(names, row, strict=True)) == {
        "service_id": "health-01",
        "name_ar": "موعد <عيادة>",
        "name_en": "'=Appointment",
        "agency": "health",
        "group": "1",
        "state": "suspended",
        "launched_on": "",
        "channels": "web counter",
        "url": "",
        "suspended_on": "2006-01-31",
    }, "a member of Service with a label is here too"


def printed(listing: Listing, row: Struct, total: Struct | None = None) -> str:
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(grid(listing, [row], total))
    return console.export_text()


def shown(template: str, row: Struct) -> str:
    page = Environment(autoescape=True).from_string(template)
    return page.render(w=Words("en"), p=row, cell=cell, label=label)


def test_the_terminal_shows_each_field_numbers_for_the_next_command_and_lists_in_words() -> None:
    text = printed(LISTING, SUSPENDED)
    assert all(word in text for word in ("health-01", "Suspended", "موقوفة", "First suspended", "2006-01-31"))
    assert not [word for word in ("Kiosk", "Offered by") if word in text], "a detail is in no list"

    class Row(Struct, frozen=True):
        index: Annotated[Count, Label("القيد", "Entry")]
        channels: Annotated[tuple[ServiceChannel, ...], Label("المنافذ", "Offered by")]

    text = printed(Listing("صفوف", "Rows", Row), Row(1234567, (ServiceChannel.WEB, ServiceChannel.PHONE)))
    assert all(words in text for words in ("1234567", "الويب، الهاتف", "Web, Phone"))


class Payment(Struct, frozen=True):
    amount_halalas: Annotated[Halalas, Label("المبلغ", "Amount")]
    recorded: Annotated[Instant, Label("القيد", "Recorded")]
    is_late: Annotated[bool, Label("متأخر", "Late")]
    type: Annotated[EventType, Label("الحدث", "Event")]


PAYMENTS: Final = Listing("صرف", "Payments", Payment)


def test_money_is_riyals_to_people_and_halalas_to_programs() -> None:
    payment = Payment(123456789, "2006-01-31T21:30:00Z", True, "sa.gov.yesser.service.launched.v1")
    assert all(words in printed(PAYMENTS, payment) for words in ("1,234,567.89", " service.launched"))
    assert csv_file(PAYMENTS, [payment]).splitlines()[1].startswith("123456789,2006-01-31T21:30:00Z,true,sa.gov")
    text = shown("{% for name in p.__struct_fields__ %}{{ cell(p, name) }} {% endfor %}", payment)
    purpose = CATALOGUE["service.launched"].purpose.en
    assert all(words in text for words in ("SAR 1,234,567.89", "1 Feb 2006 00:30", "Yes", purpose))


@every(
    ("language", "words"),
    [
        ("ar", ("أول إيقاف", "31 يناير 2006", "موقوفة", "الويب، ")),
        ("en", ("First suspended", "31 January 2006", "Web, ")),
    ],
)
def test_a_page_shows_each_field_with_its_label(language: Language, words: tuple[str, ...]) -> None:
    context = {"service": SUSPENDED, "document": Wider, "step_document": Step, "opens_entries": False}
    page = Templates().part("plan/service.html", Words(language), context)
    assert all(word in page for word in (*words, "موعد &lt;عيادة&gt;", 'class="tag tag-late"'))


def test_what_is_derived_is_a_column_and_not_in_json() -> None:
    at = datetime(2006, 1, 31, 21, 30, tzinfo=UTC)
    row = {"endpoint_id": "ep_1", "agency": "health", "team": "press", "url": "https://a.example", "created_at": at}
    webhook = document_of(Webhook, {**row, "failing_since": at, "disabled_at": None, "disabled_reason": None})
    assert "state" not in from_json(to_json(webhook))
    text = printed(Listing("ويب هوك", "Webhooks", Webhook), webhook)
    assert all(words in text for words in ("لا يستقبل", "Failing", "2006-02-01 00:30"))
    text = shown("{{ label(p, 'state') }} {{ cell(p, 'state_since') }}", webhook)
    assert all(words in text for words in ("State", "1 Feb 2006 00:30"))


def test_a_document_refuses_a_row_that_it_cannot_show_and_a_history_says_what_each_step_was() -> None:
    with pytest.raises(Exception, match=r"\$\.state"):
        document_of(Service, ROW | {"state": "lost"})
    row = {"index": 5, "found_index": 7, "type": "project.phase-completed", "agency": "roads", "happened_on": None}
    step = document_of(Step, {**row, "phase": 2, "data": None})
    assert Name(step.type.ar, step.type.en) == Name("اكتملت المرحلة", "Phase completed")


def test_a_document_inside_another_has_columns_of_its_own() -> None:
    names, row, without = csv.reader(io.StringIO(csv_file(INBOX, [inbox_item(service=SERVICE), inbox_item()])))
    cells = dict(zip(names, row, strict=True))
    assert (cells["aired_radio"], cells["service_name_en"]) == ("1", "Appointments")
    assert [*cells][-3:] == ["service_url", "brief_ar", "brief_en"]
    assert dict(zip(names, without, strict=True))["service_url"] == ""


LONG: Final = "\u2069\u202e" + "ا" * 198
NAMES: Final[Names] = {
    ("agency", "health"): Name(LONG, "Ministry of <Health>"),
    ("service", "S1"): Name("موعد", "Appointments"),
}


def test_agencies_and_services_are_read_by_their_names_and_programs_get_the_codes() -> None:
    own = document_of(Partnership, DOCUMENT | {"agency": "health", "services": ["S1", "S2"]})
    assert set(codes_in([{"of": (own,)}])) == {("agency", "health"), ("service", "S1"), ("service", "S2")}
    row = csv_file(PARTNERSHIPS, [own]).splitlines()[1]
    assert ",health," in row
    assert "S1 S2" in row

    @click.command()
    def listed() -> None:
        use_names(NAMES)
        click.echo(printed(PARTNERSHIPS, own))

    text = CliRunner().invoke(listed).output
    assert all(words in text for words in (LONG, "Ministry of <Health>", "health"))

    known = {"index": 1, "found_index": 1, "type": "service.launched", "subject": "service/S1", "agency": "health"}
    anomaly = document_of(Anomaly, known | {"rule": "already-launched", "claimed": {}, "known": {}})
    text = printed(Listing("التناقضات", "Anomalies", Anomaly), anomaly)
    assert all(words in text for words in ("It was launched before.", "already-launched")), "a rule has its name too"

    template = Environment(autoescape=True).from_string("{{ cell(p, 'agency') }}|{{ cell(p, 'services') }}")
    for words, name in ((Words("ar"), "\u202e" + "ا" * 198), (Words("en"), "Ministry of &lt;Health&gt;")):
        agency, services = template.render(w=words, p=own, cell=cell, directory=NAMES).split("|")
        code = '<code dir="ltr">health</code>'
        assert agency == f'<span class="named"><bdi dir="{words.direction}">{name}</bdi> <small>{code}</small></span>'
        assert services.endswith('<code dir="ltr">S2</code>'), "a code without a name is shown as it is"


def test_what_is_not_set_is_in_no_answer() -> None:
    figures = {"launched_services": 2, "on_all_three": 0, "silent": 1, "airings": 2, "reach": 2**70}
    total = {**figures, "aired": {"tv": 1, "radio": 0, "print": 0}, "median_days_to_first_airing": None}
    assert from_json(to_json([document_of(CoverageTotal, total)])) == [total]
    of_agency = document_of(AgencyCoverage, {"agency": "health", **total})
    assert "Total" in printed(AGENCIES, of_agency, document_of(CoverageTotal, total))
