"""Records made to cost much: their verdicts, and the steps that validation takes for them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from cProfile import Profile

import pytest

from events.types.catalogue import CATALOGUE
from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.values.bounds import FAULTS_MAX
from events.wire.envelope import RECORD_BYTES_MAX
from tests.hostile import Case, cases, cases_of_type, oversized
from tests.integration.hostile_corpus import faults_by_case, is_open
from tests.unit.events.judgements import compare

SOME_TYPES = ("partnership.signed", "service.launched", "project.registered", "plan.adopted")
STEPS_PER_BYTE_MAX = 3
STEPS_OF_100_SENTENCES = 6_000
STEPS_OF_BOUNDED_LISTS = 40_000
"""400 expected amounts, each of which is wrong."""
SIZES = (3_500, 14_000)


def steps_of(case: Case) -> int:
    """How many functions are called to validate a record, our own and built-in ones."""
    validate(case.value, case.headers, case.agency)  # so that what is compiled once does not count
    profile = Profile(subcalls=False)
    profile.runcall(validate, case.value, case.headers, case.agency)
    return sum(entry.callcount for entry in profile.getstats())


def test_the_steps_for_any_record_are_few_for_each_of_its_bytes_and_both_ways_agree_in_both_modes() -> None:
    for size in SIZES:
        for case in cases(size, types=frozenset({"awareness.initiative-announced"})):
            assert steps_of(case) <= STEPS_OF_100_SENTENCES + STEPS_PER_BYTE_MAX * size, case.name
            if size == SIZES[0]:
                compare(case.value, case.agency, case.headers)


@pytest.mark.parametrize(
    "names", [SOME_TYPES, pytest.param(sorted(CATALOGUE), marks=pytest.mark.accept)], ids=["some", "all"]
)
def test_every_place_of_a_type_costs_few_steps_and_both_ways_agree(names: Sequence[str]) -> None:
    size = SIZES[0]
    for case in itertools.chain.from_iterable(cases_of_type(name, size) for name in names):
        assert steps_of(case) <= STEPS_OF_BOUNDED_LISTS + STEPS_PER_BYTE_MAX * size, case.name
        compare(case.value, case.agency, case.headers)


def test_what_is_too_large_is_searched_as_far_as_a_record_can_be_and_costs_few_steps() -> None:
    for case in oversized():
        steps = steps_of(case)
        assert steps <= STEPS_OF_100_SENTENCES + STEPS_PER_BYTE_MAX * RECORD_BYTES_MAX, case.name
        assert len(case.value) <= RECORD_BYTES_MAX or steps < 100, case.name


def test_hostile_records_get_the_verdict_of_the_contract() -> None:
    """Of two types; of others over Kafka and HTTP (`test_hostile_corpus.py`)."""
    found = list(cases(SIZES[0], types=frozenset(SOME_TYPES[:2])))
    oracle = faults_by_case(found)
    for case in found:
        verdict = validate(case.value, case.headers, case.agency)
        faults = [] if isinstance(verdict, Accepted) else [(fault.pointer, fault.code) for fault in verdict.faults]
        assert faults == sorted(faults), case.name
        assert len(faults) <= FAULTS_MAX, case.name
        assert is_open(case) or {(code, pointer) for pointer, code in faults} == set(oracle[case.name]), case.name
