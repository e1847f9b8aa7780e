"""From the verdicts on the agencies' lines to a log, in a chosen interleaving of the agencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from random import Random

from tests.oracle.log import EntryDict, JsonObject, make_entry, make_event, recorded_at, registration
from tests.oracle.validation import Agency, Publication, Verdict

Addressed = tuple[str, Verdict]


def one_after_another(publications: Iterable[Publication]) -> list[Addressed]:
    """All of the first agency's lines, then all of the second's …"""
    return list(chain.from_iterable(addressed(publication) for publication in publications))


def round_robin(publications: Iterable[Publication]) -> list[Addressed]:
    """One line of each agency in turn."""
    turns = zip_longest(*(addressed(publication) for publication in publications))
    return [item for turn in turns for item in turn if item is not None]


def shuffled(publications: Iterable[Publication], seed: int) -> list[Addressed]:
    """Runs of random length of each agency, by a seed; every agency's own order is kept."""
    random, waiting = Random(seed), [addressed(publication) for publication in publications]
    mixed: list[Addressed] = []
    while waiting := [lines for lines in waiting if lines]:
        lines = random.choice(waiting)
        run = random.randint(1, 20)
        mixed += lines[:run]
        del lines[:run]
    return mixed


def addressed(publication: Publication) -> list[Addressed]:
    """Each line that was sent, with its address."""
    sent = (verdict for verdict in publication.verdicts if verdict.sent)
    return [(f"agency.{publication.agency}.events/0/{offset}", verdict) for offset, verdict in enumerate(sent)]


def registrations(agencies: Sequence[Agency]) -> list[JsonObject]:
    """The platform, the office `yesser`, and the other agencies in their order: the first events of a log."""
    others = [agency for agency in agencies if agency.code not in ("platform", "yesser")]
    first = [Agency("platform", "platform"), Agency("yesser", "office")]
    return [registration(agency.code, agency.role) for agency in (*first, *others)]


def log_of(
    agencies: Sequence[Agency], lines: Iterable[Addressed], seconds_between: int = 3600, start: int = 0
) -> list[EntryDict]:
    """The entries: registrations (when it starts at 0), then accepted events and refusals in the order of `lines`."""
    events: Iterator[tuple[str | None, JsonObject]] = chain(
        ((None, event) for event in registrations(agencies) if start == 0),
        (
            (address, refusal(address, verdict) if verdict.event is None else verdict.event)
            for address, verdict in lines
            if verdict.kind != "duplicate"
        ),
    )
    return [
        make_entry(index, event, recorded_at(index, seconds_between), address)
        for index, (address, event) in enumerate(events, start)
    ]


def refusal(address: str, verdict: Verdict) -> JsonObject:
    """The `registrar.refused` of a record, without claims."""
    topic, partition, offset = address.split("/")
    errors = [
        {"code": code, "pointer": pointer, "detail": {"ar": "مرفوض", "en": "Refused"}}
        for code, pointer in verdict.faults
    ]
    problem = {"type": "urn:yesser:problem:refused", "title": {"ar": "مرفوض", "en": "Refused"}, "errors": errors}
    subject = f"refusal/{topic}/{partition}/o{offset}"
    data = {"address": address, "problem": problem}
    return make_event("registrar.refused", "platform", subject, data, f"{topic}:{partition}:o{offset}")
