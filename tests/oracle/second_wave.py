"""What comes back from the campaigns, once their ids are known: acknowledgements, airings, corrections, completions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from tests.oracle.desks import Fact, some_day
from tests.oracle.log import JsonObject, make_event
from tests.oracle.serialise import write
from tests.oracle.words import text


def second_wave(seed: int, campaigns: Iterable[JsonObject], agencies: Iterable[str]) -> dict[str, list[bytes]]:
    """Lines by agency about `campaigns` (rows of `yesser campaigns list`), all accepted, some contradicting.

    Who is not a campaign's owner says only what is `not-owner` in every order.
    """
    random, codes = Random(f"second/{seed}"), list(agencies)
    lines: dict[str, list[bytes]] = {code: [] for code in codes}
    for campaign in sorted(campaigns, key=lambda row: str(row["campaign_id"])):
        owner, stranger = campaign["owner"], random.choice(codes)
        speakers = [(owner, fact) for fact in _facts(random, campaign["campaign_id"])]
        if stranger != owner and random.random() < 0.1:
            speakers.append((stranger, _aired(random, campaign["campaign_id"], "AIR-STRANGER")))
        for agency, (name, subject, data) in speakers:
            event_id = f"second:{len(lines[agency]):06d}"
            lines[agency].append(write(random, make_event(name, agency, subject, data, event_id)))
    return lines


def _facts(random: Random, campaign_id: str) -> Iterator[Fact]:
    for number in range(random.randrange(6)):
        choice = random.randrange(6)
        if choice == 0:
            data: JsonObject = {"campaign_id": campaign_id, "by": "campaign-desk", "on": some_day(random)}
            yield "awareness.campaign-acknowledged", f"campaign/{campaign_id}", data
        elif choice == 1:
            data = {"campaign_id": campaign_id, "on": some_day(random)}
            yield "awareness.campaign-completed", f"campaign/{campaign_id}", data
        elif choice == 2:
            data = {"campaign_id": campaign_id, "airing_id": f"AIR-{random.randint(0, number)}", "on": some_day(random)}
            data |= {"reach": random.randrange(10**6), "reason": text(random)}
            yield "awareness.campaign-airing-corrected", f"campaign/{campaign_id}", data
        else:
            yield _aired(random, campaign_id, f"AIR-{random.randint(0, number)}")


def _aired(random: Random, campaign_id: str, airing_id: str) -> Fact:
    data = {
        "campaign_id": campaign_id, "airing_id": airing_id, "channel": random.choice(("tv", "radio", "print")),
        "outlet": text(random), "on": some_day(random), "reach": random.randrange(10**6),
    }  # fmt: skip
    return "awareness.campaign-aired", f"campaign/{campaign_id}", data
