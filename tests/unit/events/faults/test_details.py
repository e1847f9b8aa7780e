"""Every fault has a sentence in both languages; the Arabic one is found from the English one in the log."""

from __future__ import annotations

import re

import pytest

from events.faults.details import DETAILS, PHRASES, arabic_of
from events.faults.findings import finding
from events.faults.problems import CONFLICT
from events.types.rules import PHASES_RULES, SERVICES_RULES, TERMS_RULES
from tests.contract.product_texts import ARABIC
from tests.every import every
from tests.isolates import without_isolates
from tests.world.events import golden_event

_FIELD = re.compile(r"\{(\w+)\}")


@every("sentence", DETAILS)
def test_every_sentence_has_its_arabic_with_the_same_values(sentence: str) -> None:
    assert ARABIC.search(DETAILS[sentence])
    assert sorted(_FIELD.findall(sentence)) == sorted(_FIELD.findall(DETAILS[sentence]))
    assert sentence.endswith(".")


@every("sentence", DETAILS)
@every(
    "value",
    ['"x"', '"\\"] is not a date; write {value}"', '"{ … } {0.x}"', "-5", "1e2", "true", "This value", '"a\\\\"'],
)
def test_the_arabic_of_a_filled_sentence_has_its_values_and_is_that_of_no_other(sentence: str, value: str) -> None:
    names = _FIELD.findall(sentence)
    values = {name: f"x{place}" for place, name in enumerate(names)}
    if "value" in values:
        values["value"] = value
    expected = DETAILS[sentence].format(**{name: PHRASES.get(text, text) for name, text in values.items()})
    assert without_isolates(arabic_of(sentence.format(**values))) == expected


@every(
    ("english", "arabic"),
    [
        (
            '"٢" is text; write a whole number in digits 0–9 (2).',
            '\u2068"٢"\u2069 نص؛ اكتب \u2068عددًا صحيحًا بالأرقام 0–9\u2069 (2).',
        ),
        ("4 is not allowed: group is 1, 2 or 3.", "4 غير مسموح؛ المسموح في \u2068group\u2069: 1، 2 أو 3."),
        (
            "-1 is not allowed: reach is 0 or more.",
            "\u2068-1\u2069 غير مسموح؛ المسموح في \u2068reach\u2069: 0 أو أكثر.",
        ),
        ("This value is null; write text in quotes.", "المكتوب هنا \u2068null\u2069؛ اكتب نصًا بين علامتي اقتباس."),
        (
            "An agency may not send plan.adopted; only the programme office may.",
            "لا يحق للجهة إرسال \u2068plan.adopted\u2069؛ يحق ذلك لمكتب البرنامج فقط.",
        ),
    ],
)
def test_what_is_filled_in_is_arabic_too(english: str, arabic: str) -> None:
    assert arabic_of(english) == arabic


def test_the_sentences_of_earlier_logs_keep_their_arabic_and_an_unknown_one_stays_as_it_is() -> None:
    for name in ("registrar.refused", "registrar.refused.personal-data"):
        for error in golden_event(name)["data"]["problem"]["errors"]:
            assert ARABIC.search(arabic_of(error["detail"])), error
    assert arabic_of("Something else.") == "Something else."


def test_all_sentences_are_of_the_table() -> None:
    with pytest.raises(KeyError):
        finding("conflict", "", "Something was wrong with 1064971268.")
    assert CONFLICT.detail in DETAILS
    assert {rule.detail for rule in (*PHASES_RULES, *SERVICES_RULES, *TERMS_RULES)} <= set(DETAILS)


def test_a_list_of_codes_reads_in_arabic_order() -> None:
    listed = arabic_of('"fax" is not allowed: channels is web, mobile or counter.').partition(": ")[2]
    assert listed == "\u2067\u2068web\u2069، \u2068mobile\u2069 أو \u2068counter\u2069\u2069."
