"""An explanation as a page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from consumers.console.pages.audit.entry import TEXT_LENGTH_MAX, change, shown
from consumers.console.pages.audit.routes import terms_of
from consumers.console.web.language import Words
from consumers.documents.document import document_of
from consumers.documents.log.explanations import Change, Explanation
from consumers.explain import renderings as names
from consumers.explain.over_http.routes import split_figure
from consumers.explain.shown_models import models
from consumers.explain.statement_formulas import FORMULAS
from tests.every import every

ENGLISH = Words("en")


def document(
    *values: Any, field: str | None = "net", earlier: Any = None, figures: Mapping[str, Any] | None = None
) -> Explanation:
    """One figure that went through these values, an entry each; the table has `figures`, else the last of them."""
    about: dict[str, Any] = {"type": "service.launched", "agency": "health", "subject": "service/S-1", "waited": []}
    about |= {"recordedtime": "2026-11-01T06:00:00.000000Z", "id": "E-1", "data": {}}
    steps = [
        {**about, "index": index, "changes": {"net": {"before": before, "after": after}}}
        for index, (before, after) in enumerate(pairwise(values), 10)
    ]
    first, last = {"net": values[0]}, {"net": values[-1]}
    reach = {"model": "training", "key": "gregorian/2006/usage", "log_index": 20, "is_complete": True}
    found = {"start": first, "total": last, "figures": figures or last, "ok": figures is None}
    given = {"field": field, "earlier": earlier, "steps": steps, "steps_count": len(steps)}
    return document_of(Explanation, {**reach, **found, **given})


@every(
    "given",
    [
        document(0),
        document(None, 5),
        document("registered", "live"),
        document(False, True),
        document(0, 5, field=None),
        document(0, 5, earlier={"count": 1, "first_index": 1, "last_index": 1, "after": {}}),
        document(*range(20)),
    ],
)
def test_what_is_no_short_sum_of_numbers_is_not_written_as_one(given: Explanation) -> None:
    assert terms_of(given) is None


def test_a_number_is_a_sum_of_what_each_entry_changed_and_a_table_that_differs_is_named() -> None:
    assert terms_of(document(0, 5, 3)) == [5, -2]
    assert document(0, 5).wrong == []
    assert document(0, 5, figures={"net": 6}).wrong == ["net"]


@every(
    ("name", "value", "words"),
    [
        ("net_halalas", 123456, "SAR 1,234.56"),
        ("partner_bp", 7000, "70%"),
        ("count", 1234, "1,234"),
        ("paused", True, "Yes"),
        ("on", "2006-03-01", "1 March 2006"),
        ("on", "2006-99-99", "2006-99-99"),
        ("name", "<b>&", "<bdi>&lt;b&gt;&amp;</bdi>"),
        ("channels", ["web", "<i>"], "web, &lt;i&gt;"),
        ("terms", {"a": "<i>"}, "&lt;i&gt;"),
        ("terms", {"a": 1}, "{&#34;a&#34;:1}"),
        ("name", {"ar": "موعد", "en": "Appointment"}, "<bdi>Appointment</bdi>"),
        ("partner", {"name": {"ar": "شركة", "en": "Company"}, "partner_id": "C-1"}, "<bdi>Company, C-1</bdi>"),
        ("url", None, "—"),
        ("state", names.worded("services", "state", "live"), "Live"),
        ("state", names.worded("training", "state", "live"), "<bdi>live</bdi>"),
        ("channels", [], "—"),
        ("channels", names.worded("services", "channels", ["web", "counter"]), "Web, Counter"),
        ("calendar", names.worded("partnerships", "calendar", "umm-al-qura"), "Umm al-Qura calendar"),
        ("period_kind", names.worded("partnerships", "period_kind", "month"), "Month"),
        ("tier_basis", names.worded("partnerships", "tier_basis", "lifetime"), "The whole term"),
    ],
)
def test_a_value_is_shown_by_its_kind_and_escaped(name: str, value: Any, words: str) -> None:
    assert words in str(shown(ENGLISH, name, value))


def test_an_enormous_text_is_cut_and_a_change_has_its_sign() -> None:
    text = str(shown(ENGLISH, "name", "x" * 100_000))
    assert len(text) < TEXT_LENGTH_MAX + 100
    assert "the whole text is in the proof file" in text
    assert change(ENGLISH, "count", Change(2, 5)) == '<bdi dir="ltr">+3</bdi>'
    assert "-3" in str(change(ENGLISH, "count", Change(5, 2)))
    assert [change(ENGLISH, "x", Change(*pair)) for pair in ((None, 2), ("a", "b"), (False, True))] == ["", "", ""]


@every(
    ("model", "path", "found"),
    [
        ("plan", "services/1/launched", ("services/1", "launched")),
        ("plan", "services/1", ("services/1", None)),
        ("plan", "services/target", ("services", "target")),
        ("plan", "awareness/aired.tv", ("awareness", "aired.tv")),
        ("plan", "national_applications/PRJ-1", ("national_applications/PRJ-1", None)),
        ("plan", "training/gregorian/2006/usage/net", ("training/gregorian/2006/usage", "net")),
        ("statements", "P-1/2005-01/net_halalas", ("P-1/2005-01", "net_halalas")),
        ("services", "S-1", ("S-1", None)),
        ("services", "S-1/state", ("S-1", "state")),
        ("services", "S-1/no-field", ("S-1/no-field", None)),
        ("activity", "health/service.launched/count", ("health/service.launched", "count")),
    ],
)
def test_the_last_part_of_a_path_can_be_a_field(model: str, path: str, found: tuple[str, str | None]) -> None:
    assert split_figure(models()[model], path) == found


def test_every_model_every_key_of_the_plan_and_every_field_of_a_statement_has_its_words() -> None:
    for field in FORMULAS:
        assert names.field_name("statements", field) is not None, field
    for model in models():
        title, rest = names.title_of(model, "A/1")
        assert title is not None or rest, model
    counts = [names.field_name("plan", field) for field in ("started", "cancelled", "aired.tv")]
    assert [name and name.en for name in counts] == ["Phases started", "Cancelled", "Awareness, television"]
    title, rest = names.title_of("training", "umm-al-qura/1426/usage")
    assert (title and title.en, rest) == ("Training 1426 AH, use", "")
    assert names.title_of("plan", "training/umm-al-qura/1426/usage") == (title, "")
    forms = models()["plan"].key_form.split(", ")
    assert all(names.title_of("plan", form)[0] is not None for form in forms)


@every("model", lambda: [*names._MODELS])
def test_every_figure_that_a_command_or_a_page_shows_has_a_name(model: str) -> None:
    assert [field for field in models()[model].fields if names.field_name(model, field) is None] == []
