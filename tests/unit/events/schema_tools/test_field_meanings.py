"""The documentation of the catalogue is complete, and agrees with validation and with the oracle."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS, MEANINGS, meaning_of
from events.schema_tools.refusal_examples import REFUSAL_EXAMPLES
from events.types.catalogue import CATALOGUE
from events.types.contradictions import CONTRADICTIONS, RULES, contradictions_of
from events.wire.envelope import Envelope
from tests.oracle.fold import fold
from tests.oracle.log import EntryDict
from tests.oracle.strategies import mixed_logs

SHORT = len("sa.gov.yesser.")


def test_every_attribute_and_every_rule_has_its_sentence_in_both_languages_and_none_shows_a_national_id() -> None:
    assert set(ATTRIBUTE_MEANINGS) == set(Envelope.model_fields)
    for words in (*MEANINGS.values(), *ATTRIBUTE_MEANINGS.values(), *RULES.values()):
        assert words.ar.endswith(".")
        assert words.en.endswith(".")
    assert "1000000008" not in REFUSAL_EXAMPLES["personal-data"].wrong_text


def test_a_field_without_a_meaning_is_named_with_the_place_of_its_sentence() -> None:
    with pytest.raises(LookupError, match=r"former of service\.renamed has no meaning: .*field_meanings\.py"):
        meaning_of("service.renamed", "former")


def test_what_only_an_owner_may_say_contradicts_where_another_says_it() -> None:
    rules = {name: contradictions_of(name) for name, row in CATALOGUE.items() if row.sender == "owner"}
    silent = [name for name, found in rules.items() if "not-owner" not in found]
    assert not silent, f"list the anomalies of {silent} in events/types/contradictions.py, `not-owner` among them"


def test_every_rule_may_meet_some_type_and_what_only_the_platform_says_contradicts_nothing() -> None:
    assert {rule for rules in CONTRADICTIONS.values() for rule in rules} == set(RULES)
    assert set(CONTRADICTIONS) <= set(CATALOGUE)
    assert not [name for name, row in CATALOGUE.items() if row.sender == "platform" and contradictions_of(name)]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(mixed_logs(20, 80))
def test_an_anomaly_of_the_oracle_is_one_that_the_type_announces(log: list[EntryDict]) -> None:
    for row in fold(log).anomaly_rows():
        assert row["rule"] in contradictions_of(row["type"][SHORT:].removesuffix(".v1"))
