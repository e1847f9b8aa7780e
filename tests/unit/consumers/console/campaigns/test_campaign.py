"""One campaign as its page shows it."""

from __future__ import annotations

from consumers.console.pages.campaigns.campaign import (
    actions_of,
    brief_of,
    rule_sentence,
    service_address,
)
from consumers.console.pages.campaigns.inbox import rule_name
from consumers.documents.campaigns.campaigns import NextAction, channel_list
from consumers.documents.campaigns.evaluations import RuleMoment
from consumers.programme.campaigns.next_step import lateness
from consumers.programme.campaigns.rules.in_force import release_rules
from consumers.programme.campaigns.rules.rule import MOMENTS
from tests.world.campaigns import SERVICE, campaign

TODAY = "2026-11-26"


def test_a_campaign_is_late_as_in_the_inbox_and_its_page_says_in_words_what_is_missing() -> None:
    due_on = campaign().due_on
    late = lateness(campaign(next_action="air"), TODAY)
    assert late is not None
    assert late.plain().en == f"It is late: it was due on {due_on}, today is {TODAY}, and a channel has no airing."
    late = lateness(campaign(), TODAY)
    assert late is not None
    assert late.plain().ar == f"متأخرة لأن موعدها {due_on} قبل اليوم {TODAY}، ولم تُستلم."
    for changed in ({"due_on": TODAY}, {"next_action": None}, {"next_action": "complete"}):
        assert lateness(campaign(**changed), TODAY) is None, changed


def test_the_next_step_stands_first_and_a_late_airing_can_still_be_reported() -> None:
    first, then, last = NextAction
    assert actions_of(campaign()) == [first, then, last]
    assert actions_of(campaign(state="acknowledged", next_action="complete")) == [last, then]
    assert actions_of(campaign(state="completed", next_action=None)) == [then]


def test_a_brief_turns_no_text_around_it_and_only_a_web_address_is_a_link() -> None:
    brief = {"ar": "اسم \u202eمقلوب\u2066", "en": "One\u202e line\nand <b>another</b>"}
    assert brief_of(campaign(brief=brief)) == {"ar": "اسم مقلوب", "en": "One line\nand <b>another</b>"}
    urls = ("https://a.example/", "javascript:alert(1)", None, "data:x")
    links = [service_address(campaign(service=SERVICE | {"url": url})) for url in urls]
    assert links == ["https://a.example/", None, None, None]


def test_every_rule_of_the_release_has_words_and_every_moment_a_name() -> None:
    assert {moment.value for moment in RuleMoment} == set(MOMENTS)
    rules = release_rules()
    for rule in rules.rules:
        assert rule_name(rules, rule.name).en != rule.name
        sentence = rule_sentence(rules, rule.name)
        assert sentence is not None
        assert "working day" in sentence.en
    assert rule_name(rules, "of-a-deployment").ar == "of-a-deployment"
    assert rule_sentence(rules, "of-a-deployment") is None
    assert channel_list(["tv", "radio", "print"]).en == "television, radio and print"
    assert (channel_list(["tv"]).en, channel_list([]).ar) == ("television", "")
