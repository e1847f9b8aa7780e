"""Which subscription gets which entry."""

from __future__ import annotations

from dataclasses import replace

from consumers.delivery.routing.matching import KINDS, CampaignEntry, Subscription, new_messages, wants
from tests.every import every

ENTRY = CampaignEntry(
    index=7,
    campaign_id="service-launched.i5",
    type="campaign.triggered",
    owner="health",
    service_id="S",
    rule="service-launched",
    channels=["tv", "radio"],
)
ALL = Subscription(1, "health", "press", "webhook", "e1", None, None, None, None, 0, is_disabled=False)


def test_all_but_airings_are_sent_and_an_airing_to_who_asks_for_it() -> None:
    for name in KINDS:
        assert wants(ALL, replace(ENTRY, type=name), replay=False) is ("-air" not in name), name
    aired = replace(ENTRY, type="awareness.campaign-aired")
    assert wants(replace(ALL, types=["awareness.campaign-aired"]), aired, replay=False)
    assert not wants(replace(ALL, types=["awareness.campaign-aired"]), ENTRY, replay=False)
    later = replace(ALL, from_index=100)
    assert not wants(later, ENTRY, replay=False)
    assert wants(later, ENTRY, replay=True), "a replay is of entries from before the subscription"


@every(
    "filters",
    [
        {"agency": "interior"},
        {"rules": ["quota-met"]},
        {"services": ["T"]},
        {"services": []},
        {"channels": ["print"]},
        {"from_index": 8},
    ],
)
def test_each_filter_keeps_out_what_does_not_fit(filters: dict[str, object]) -> None:
    assert not wants(replace(ALL, **filters), ENTRY, replay=False)  # type: ignore[arg-type]


def test_filters_that_fit_let_the_entry_pass_and_one_of_services_no_general_campaign() -> None:
    narrow = replace(ALL, rules=["service-launched"], services=["S"], channels=["print", "radio"], from_index=7)
    assert wants(narrow, ENTRY, replay=False)
    general = replace(ENTRY, service_id=None)
    assert not wants(replace(ALL, services=["S"]), general, replay=False)
    assert wants(ALL, general, replay=False)


def test_an_endpoint_gets_an_entry_once_and_each_team_by_mail() -> None:
    mail = replace(ALL, subscription_id=4, route="email", endpoint_id=None)
    others = replace(ALL, subscription_id=2), replace(ALL, subscription_id=3, endpoint_id="e2")
    messages = [*new_messages([ENTRY], [ALL, *others, mail, mail])]
    found = [(message.subscription.subscription_id, message.subscription.endpoint_id) for message in messages]
    assert found == [(1, "e1"), (3, "e2"), (4, None), (4, None)]


def test_what_a_message_is_called_and_in_which_lane_it_goes() -> None:
    (message,) = new_messages([ENTRY], [ALL])
    assert (message.kind, message.event_id, message.lane, message.replay) == ("triggered", "i7", "service/S", False)
    (general,) = new_messages([replace(ENTRY, service_id=None)], [ALL])
    assert general.lane == "campaign/service-launched.i5"
    (replayed,) = new_messages([ENTRY], [ALL], replay=True)
    assert (replayed.lane, replayed.replay) == ("service/S/replay", True)
