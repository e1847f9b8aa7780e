"""Every refusal code is in each place that a reader of it needs, and explained in both languages."""

from __future__ import annotations

from collections.abc import Iterator

from events.faults.problems import CODES, PROBLEMS, Code, title_of
from events.schema_tools.refusal_examples import REFUSAL_EXAMPLES, faults_of, golden_example
from tests.contract.product_texts import ARABIC
from tests.paths import ROOT
from tests.world import refused_events

CONTRACT = (ROOT / "docs/events.md").read_text(encoding="utf-8").partition("**Refusal codes**")[2].partition("* **")[0]
# What the value of a record alone does not show: other events, who may send what, headers.
OF_THE_REGISTRAR = {"conflict", "not-authorised", "bad-header"}
REFUSED = repr([refused_events.UNREADABLE, refused_events.ENVELOPE, refused_events.DATA, refused_events.PERSONAL])


def missing(code: Code) -> Iterator[str]:
    if code not in PROBLEMS:
        yield "its title and remedy in PROBLEMS (events/faults/problems.py)"
    if code not in REFUSAL_EXAMPLES:
        yield "its example in REFUSAL_EXAMPLES (events/schema_tools/refusal_examples.py)"
    if f"`{code}`" not in CONTRACT.replace(", ", "`, `"):
        yield "its name in the list of refusal codes of docs/events.md"
    if code not in OF_THE_REGISTRAR and f"('{code}'" not in REFUSED:
        yield "an event with it in tests/world/refused_events.py, which this validation and that of tests/oracle refuse"


def test_a_refusal_code_is_in_every_place() -> None:
    places = {code: list(missing(code)) for code in CODES}
    assert {code: lacking for code, lacking in places.items() if lacking} == {}
    unknown = {*PROBLEMS, *REFUSAL_EXAMPLES} - set(CODES)
    assert not unknown, f"add {unknown} to Code (events/faults/problems.py)"
    assert list(PROBLEMS) == list(CODES), "PROBLEMS has the order of Code"


def test_the_example_of_a_code_is_refused_with_that_code_alone() -> None:
    for code, example in REFUSAL_EXAMPLES.items():
        assert {fault.code for fault in faults_of(code)} == {code}, "what events/validation finds in its example"
        count = golden_example(example.base).decode().count(example.right)
        assert not example.right or count == 1, f"what is replaced for {code} is {count} times in {example.base}.json"


def test_every_code_has_its_title_and_remedy_in_both_languages() -> None:
    for code, problem in PROBLEMS.items():
        assert all(text.en and ARABIC.search(text.ar) for text in problem)
        assert title_of(code) == problem.title
