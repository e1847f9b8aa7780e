"""The story fits the contract, and its figures are those of the programme's facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, Literal

import click
import msgspec
import orjson
import pytest
from click.testing import CliRunner

from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS
from infra.command_line.display import show
from infra.command_line.language import with_language
from infra.postgres.outbox import event_bytes
from producers.agencies.register import OFFICE
from producers.programme import chapter_three
from producers.programme.chapter_one import chapter_one
from producers.programme.chapter_two import CHANNELS
from producers.programme.chapter_two import chapter_two as answers_to
from producers.programme.demo import stages
from producers.programme.documents import Campaign, Rebuild, Total, Tree, Verification
from producers.programme.report import verification_table
from producers.programme.story_event import StoryEvent, read_records
from tests.oracle import validation
from tests.oracle.entries import log_of, one_after_another, round_robin, shuffled
from tests.oracle.fold import Figures, fold

Mix = Callable[[Iterable[validation.Publication]], list[tuple[str, validation.Verdict]]]
PLACES = ("cause_index", "first_index", "last_index", "closing_index", "log_index", "due_on")
CODES = [OFFICE.code, *(row["code"] for row in read_records("agencies")["agencies"])]


def role(code: str) -> Literal["office", "agency"]:
    return "office" if code == OFFICE.code else "agency"


def figures(*chapters: Sequence[StoryEvent], mix: Mix = round_robin) -> Figures:
    """The oracle's figures of these chapters, with all agencies of a stage sending at once."""
    registrars = {code: validation.Registrar(validation.Agency(code, role(code))) for code in CODES}
    lines = [
        line
        for stage in stages([told for chapter in chapters for told in chapter])
        for line in mix([registrars[code].publish(values) for code, values in stage.items()])
    ]
    return fold(log_of([validation.Agency(code, role(code)) for code in CODES], lines, seconds_between=1))


def without_indexes(rows: list[dict[str, Any]]) -> list[str]:
    """The rows without indexes, so that those of two logs can be compared."""
    texts = [str({name: value for name, value in row.items() if name not in PLACES}) for row in rows]
    return sorted(re.sub(r"\.i[0-9]+", ".i", text) for text in texts)


def chapter_two(campaigns: Sequence[dict[str, Any]]) -> list[StoryEvent]:
    return answers_to(msgspec.convert(campaigns, list[Campaign]))


@pytest.fixture(scope="module")
def first() -> Figures:
    return figures(chapter_one())


def test_every_event_is_accepted_once_and_telling_it_again_says_the_same_bytes(first: Figures) -> None:
    events = [*chapter_one(), *chapter_two(first.campaigns)]
    for event in events:
        verdict = validate(event.value, STRUCTURED_HEADERS, Agency(event.agency, role(event.agency)))
        assert isinstance(verdict, Accepted), event
        assert b"assumed" not in event.value
        assert b'"fact"' not in event.value
    assert len({event.value for event in events}) == len(events)
    assert figures(events).plan["refusals"] == 0, "no two share an id"
    assert events == [*chapter_one(), *chapter_two(list(reversed(first.campaigns)))]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.accept) for seed in (2, 3))])
def test_in_whatever_order_the_agencies_speak_the_same_follows_but_for_indexes(first: Figures, seed: int) -> None:
    other = figures(chapter_one(), mix=one_after_another if seed == 0 else partial(shuffled, seed=seed))
    assert [row["cause_index"] for row in other.campaigns] != [row["cause_index"] for row in first.campaigns]
    assert without_indexes(other.campaigns) == without_indexes(first.campaigns)
    assert without_indexes([other.plan]) == without_indexes([first.plan])
    assert without_indexes(other.statements) == without_indexes(first.statements)
    assert (other.balances, other.anomalies) == (first.balances, [])
    answers, same = (
        sorted((event.agency, re.sub(rb"\.i[0-9]+", b".i", event.value)) for event in chapter_two(campaigns))
        for campaigns in (other.campaigns, first.campaigns)
    )
    assert answers == same


def test_the_office_speaks_first_and_each_agency_keeps_its_own_order() -> None:
    office, others = stages(chapter_one())
    assert list(office) == [OFFICE.code]
    assert set(others) == {event.agency for event in chapter_one()} - {OFFICE.code}
    for code, values in (office | others).items():
        assert values == [event.value for event in chapter_one() if event.agency == code]


def test_other_peoples_campaigns_are_not_answered_and_change_no_answer(first: Figures) -> None:
    """A service of an agency outside the story, one of a story's agency, and a story's service with another owner."""
    campaign = next(row for row in first.campaigns if row["service_id"] == "health-01")

    def like(index: int, owner: str, service_id: str | None) -> dict[str, Any]:
        rule = "service-launched" if service_id else "initiative-announced"
        ids = {"campaign_id": f"{rule}.i{index}", "cause_index": index, "rule": rule}
        return campaign | ids | {"owner": owner, "service_id": service_id}

    others = [like(1, "moh", "moh-1"), like(2, "health", "not-ours"), like(3, "moh", "health-01"), like(4, "moh", None)]
    assert chapter_two([*others, *first.campaigns]) == chapter_two(first.campaigns)


def test_the_plan_ends_where_the_facts_say_and_nothing_contradicts(first: Figures) -> None:
    plan = first.plan
    assert first.anomalies == []
    assert plan["anomalies"] == plan["refusals"] == 0
    assert plan["infrastructure"] == {"target": 6, "registered": 6, "completed": 5, "cancelled": 0}
    projects = plan["national_applications"]["projects"]
    assert len({project["agency"] for project in projects}) == plan["national_applications"]["target"] == 3
    assert all(project["started"] >= 1 for project in projects)
    groups = plan["services"]["groups"]
    assert sum(group["registered"] for group in groups.values()) == plan["services"]["target"] == 150
    assert groups["1"]["launched"] == groups["1"]["target"]
    assert groups["2"]["launched"] == groups["2"]["target"]
    assert groups["3"] == {"target": 50, "registered": 50, "launched": 0, "live": 0, "suspended": 0, "retired": 0}
    rows = plan["training"]
    assert {row["track"] for row in rows} == {"usage", "specialist", "leadership"}
    assert all(0 < row["net"] <= row["quota"] for row in rows)
    assert sum(row["revoked"] for row in rows) == 1


def test_every_launched_service_has_a_campaign_of_its_agency(first: Figures) -> None:
    specific = [row for row in first.campaigns if row["kind"] == "specific"]
    owners = {
        service["service_id"]: service["agency"]
        for group in read_records("services")["groups"]
        for service in group["services"]
        if "launched_on" in service
    }
    assert {row["service_id"]: row["owner"] for row in specific} == owners
    assert all(sorted(row["channels"]) == ["print", "radio", "tv"] for row in specific)
    rules = {row["rule"] for row in first.campaigns if row["kind"] == "general"}
    assert rules == {"initiative-announced", "group-completed", "quota-met"}


def test_the_second_chapter_answers_every_campaign_on_three_channels_each_time_otherwise(first: Figures) -> None:
    answers = chapter_two(first.campaigns)
    # The oracle knows campaigns by their triggers, which the platform publishes between the chapters.
    assert len(answers) == 5 * len(first.campaigns)
    assert {event.agency for event in answers} == {row["owner"] for row in first.campaigns}
    aired = [orjson.loads(event.value)["data"] for event in answers if b"airing_id" in event.value]
    for channel in CHANNELS:
        rows = [data for data in aired if data["channel"] == channel]
        outlets = read_records("awareness")["answers"]["outlets"][channel]
        assert len({data["outlet"]["en"] for data in rows}) == len(outlets)
        assert len({data["reach"] for data in rows}) > len(rows) / 3


def test_what_is_under_way_is_late_in_a_fresh_log_and_is_told_once(first: Figures) -> None:
    before = msgspec.convert(first.campaigns, list[Campaign])
    triggers = chapter_three.reminders(before, lambda index: "2026-11-30T22:30:00.000000Z")  # 1 December in Riyadh
    platform = Agency("platform", "platform")
    assert all(isinstance(validate(event_bytes(one), STRUCTURED_HEADERS, platform), Accepted) for one in triggers)
    due = {one.data["campaign_id"]: one.data["due_on"] for one in triggers}
    assert sorted(due.values()) == ["2026-11-26", "2026-11-29", "2026-12-10"]
    assert chapter_three.late(before) == {campaign for campaign, on in due.items() if on < "2026-12-01"}

    told = chapter_three.chapter_three(before)
    verdicts = [validate(event.value, STRUCTURED_HEADERS, Agency(event.agency, "agency")) for event in told]
    assert all(isinstance(verdict, Accepted) for verdict in verdicts)
    aired = [event for event in told if b"campaign-aired" in event.value]
    assert [orjson.loads(event.value)["data"]["channel"] for event in aired] == list(CHANNELS)
    events = [*chapter_one(), *told]
    assert [row.rule for row in figures(events).anomalies if ".campaign-" not in row.type] == ["already-launched"]
    refused = chapter_three.refused()
    verdict = validate(refused.value, STRUCTURED_HEADERS, Agency(refused.agency, "agency"))
    assert isinstance(verdict, Refused)
    assert (orjson.loads(refused.value)["id"], verdict.faults[0].code) == (chapter_three.REFUSED_ID, "invalid-value")

    after = [*before, *(msgspec.convert(one.data, Campaign) for one in triggers)]
    assert chapter_three.reminders(after, lambda index: "") == []
    assert (chapter_three.chapter_three(after), answers_to(after)) == (told, answers_to(before))


def test_partnerships_have_revenue_a_reversal_a_top_up_and_settlements(first: Figures) -> None:
    statements = [row for row in first.statements if row["partnership_id"] == "PPP-110-001"]
    assert len(statements) == 7
    for amount in ("reversed_halalas", "top_up_halalas", "recovered_halalas"):
        assert any(row[amount] for row in statements), amount
    assert sum(account["balance_halalas"] for account in first.balances.values()) == 0
    assert {row["partnership_id"] for row in first.statements} == {"PPP-110-001", "PPP-110-002"}
    for row in read_records("partnerships")["partnerships"]:
        assert row["legal_basis"]["ar"] == "قرار مجلس الوزراء رقم ١١٠ وتاريخ ٥/٤/١٤٢٥هـ"


def test_all_ten_facts_are_told_and_every_file_marks_its_assumptions() -> None:
    story = files("producers.programme").joinpath("story")
    texts = [str(read_records(file.name.removesuffix(".json"))) for file in story.iterdir()]
    assert all("'assumed'" in text for text in texts)
    assert all(f"'fact': {fact}," in "".join(texts) for fact in (1, 2, 3, 4, 5, 6, 7, 9, 10))


def test_the_proof_that_fails_is_named() -> None:
    proofs = Verification(Tree(3, "00" * 32, ok=True), Rebuild([], ok=False), Total(0, ok=True), ok=False)
    printed = CliRunner().invoke(
        with_language(click.Command("demo", callback=lambda: show(verification_table(proofs))))
    )
    failed = [line for line in printed.output.splitlines() if "FAILED" in line]
    assert [line.partition("  ")[0] for line in failed] == ["Rebuilt equals live"], printed.output
