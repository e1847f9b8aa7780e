"""A mapping to start from is one that `lint` takes: what it cannot know stands in it as a comment."""

from __future__ import annotations

from io import BytesIO

import openpyxl
import orjson
import pytest

from infra.errors import WrongInput
from infra.event_files.starter import starter_mapping
from infra.event_files.table_lines import mapped_lines
from infra.tables.mapping import Column, mapping_of
from tests.every import every


def test_columns_named_like_fields_are_mapped_and_the_rest_is_named() -> None:
    table = BytesIO(";receipt_id;المبلغ;التاريخ;partnership_id;note\n;R-1;12.50;2006-06-01;C-1;x\n".encode("cp1256"))
    text = starter_mapping(table, "t.csv")
    mapping = mapping_of(text.encode(), "t.toml")
    assert (mapping.encoding, mapping.delimiter, mapping.ignored_columns) == ("windows-1256", ";", ["", "note"])
    assert mapping.columns["المبلغ"] == Column(pointer="/data/amount_halalas", type="riyals")
    (line,) = mapped_lines(table, mapping)
    assert orjson.loads(line.text or b"") == {
        "type": "sa.gov.yesser.revenue.collected.v1",
        "id": "revenue.collected-R-1",
        "subject": "partnership/C-1",
        "time": "2006-06-01T00:00:00+03:00",
        "data": {"receipt_id": "R-1", "amount_halalas": 1250, "collected_on": "2006-06-01", "partnership_id": "C-1"},
    }
    for lacking in ('# "/data/service_id" = …  # required', '# "/data/receipts" = …  # required'):
        assert lacking in text


def test_an_amount_in_another_currency_is_no_amount_in_riyals() -> None:
    table = BytesIO("العملة;المبلغ\nSAR;12.50\nUSD;12.50\n ر.س ;12.50\n;12.50\n".encode())
    mapping = mapping_of(starter_mapping(table, "t.csv", "revenue.collected").encode(), "t.toml")
    assert mapping.ignored_columns == []
    assert mapping.columns["المبلغ"].currency == "العملة"
    amounts = [orjson.loads(line.text or b"")["data"]["amount_halalas"] for line in mapped_lines(table, mapping)]
    assert amounts == [1250, "12.50USD", 1250, 1250]


def test_of_fields_that_a_name_resembles_alike_a_required_one_is_filled() -> None:
    table = BytesIO("الخدمة;تاريخ الإطلاق;القنوات\nSVC-1;2026-11-01;web\n".encode())
    columns = mapping_of(starter_mapping(table, "t.csv").encode(), "t.toml").columns
    assert {name: column.pointer for name, column in columns.items()} == {
        "الخدمة": "/data/service_id",
        "تاريخ الإطلاق": "/data/on",
        "القنوات": "/data/channels",
    }


@every("header", ["رمز الخدمة;رابط الخدمة", "رقم الخدمة;الرابط", "service code;link"])
def test_a_code_or_number_is_an_id_and_a_link_is_an_address(header: str) -> None:
    mapping = mapping_of(starter_mapping(BytesIO(header.encode()), "t.csv", "service.launched").encode(), "t.toml")
    assert [column.pointer for column in mapping.columns.values()] == ["/data/service_id", "/data/url"]


@every(
    ("heading", "type_name", "pointer"),
    [
        ("رقم الخدمة", "service.launched", "/data/service_id"),
        ("Service No", "service.launched", "/data/service_id"),
        ("رقم العقد", "revenue.collected", "/data/partnership_id"),
        ("Receipt number", "revenue.collected", "/data/receipt_id"),
        ("رقم الإيصال", "revenue.collected", "/data/receipt_id"),
        ("عدد الإيصالات", "revenue.collected", "/data/receipts"),
        ("المتدرب", "training.certified", "/data/trainee"),
        ("Trainee", "training.certified", "/data/trainee"),
        ("جهة العمل", "training.certified", "/data/employer"),
        ("رقم الشهادة", "training.certified", "/data/certificate_id"),
        ("رقم الصرف", "revenue.paid-out", "/data/payout_id"),
        ("اسم الخدمة", "service.registered", "/data/name/ar"),
        ("اسم المشروع", "project.registered", "/data/name/ar"),
        ("الوصول", "awareness.campaign-aired", "/data/reach"),
    ],
)
def test_a_heading_as_an_office_writes_it_finds_its_field(heading: str, type_name: str, pointer: str) -> None:
    columns = mapping_of(starter_mapping(BytesIO(f"{heading}\n".encode()), "t.csv", type_name).encode(), "t").columns
    assert columns[heading].pointer == pointer


@every("heading", ["time", "الوقت"])
def test_a_column_of_the_time_is_the_events(heading: str) -> None:
    table = BytesIO(f"service_id;{heading}\nSVC-1;2026-11-01T09:30:00+03:00\n".encode())
    mapping = mapping_of(starter_mapping(table, "t.csv", "service.retired").encode(), "t.toml")
    assert mapping.templates["/time"] == f"{{{heading}}}"
    assert mapping.ignored_columns == []


def test_a_workbook_has_one_too_and_the_type_may_be_named() -> None:
    book, file = openpyxl.Workbook(), BytesIO()
    book.active.append(["service_id", "name ar", "group", 'a "quoted" name'])
    book.save(file)
    text = starter_mapping(file, "t.xlsx", "service.registered")
    mapping = mapping_of(text.encode(), "t.toml")
    assert mapping.columns["name ar"].pointer == "/data/name/ar"
    assert mapping.columns["group"].type == "integer"
    assert mapping.ignored_columns == ['a "quoted" name']
    assert mapping.templates["/subject"] == "service/{service_id}"


@every(
    ("table", "message"),
    [
        ("", "no header"),
        ("x1,y2\n", r"no type of event has a field like one of \['x1', 'y2'\]: name the type"),
        ("on,on\n", "two columns named"),
        ("R-1,1000000008\n", "looks like data"),
    ],
)
def test_a_table_that_no_mapping_can_be_made_for_is_told(table: str, message: str) -> None:
    with pytest.raises(WrongInput, match=message):
        starter_mapping(BytesIO(table.encode()), "t.csv")
