"""Every hostile record through Kafka, structured and binary: the entries of the log against the oracle."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import pytest

from infra.kafka.client_config import agency_topic
from infra.kafka.clients import producing
from infra.postgres.connection import Connection
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.hostile import Case
from tests.integration.hostile_corpus import LARGE, Pairs, corpus, faults_in_order, is_open
from tests.world.registrars import found, log_of, registrar, until_read
from tests.world.topics import make_topics
from tests.world.waits import running

PATIENCE_S = 300.0


@pytest.mark.accept
@pytest.mark.timeout(1_200)
async def test_each_hostile_record_gets_the_contracts_verdict(settings: Settings, connection: Connection) -> None:
    by_agency: dict[str, list[Case]] = defaultdict(list)
    for case in corpus(LARGE):
        by_agency[case.agency.code].append(case)
    await found(settings, *by_agency.keys() - {"yesser"})
    await make_topics(settings, "yesser")
    for code, sent in by_agency.items():
        await _send(settings, agency_topic(code), sent)
    # Useless records pause a topic: here all are meant to be read at once.
    limits = ("breaker_refused_in_a_row_max", "breaker_conflicts_in_a_row_max", "breaker_refused_bytes_max")
    patient = settings.model_copy(update=dict.fromkeys(limits, 1 << 40))
    async with running(registrar(patient)):
        for code, sent in by_agency.items():
            await until_read(connection, agency_topic(code), len(sent), PATIENCE_S)
    outcomes = await _outcomes(connection)
    compared = 0
    for code, sent in by_agency.items():
        for offset, (case, kind, faults) in enumerate(faults_in_order(sent)):
            entry = outcomes.get(f"{agency_topic(code)}/0/{offset}")
            if faults and is_open(case):
                assert entry, case.name
            else:
                compared += 1
                assert entry == {"accepted": [], "duplicate": None}.get(kind, faults), case.name
    assert compared > 1_200


async def _send(settings: Settings, topic: str, sent: Sequence[Case]) -> None:
    async with producing(settings.acting_as(SUPERUSER), compression_type="gzip") as producer:
        futures = [
            await producer.send(topic, case.value, b"key", partition=0, headers=list(case.headers)) for case in sent
        ]
        await asyncio.gather(*futures)


async def _outcomes(connection: Connection) -> dict[str, Pairs]:
    """Address → the faults of its refusal; none of an accepted event. A duplicate has no entry."""
    outcomes: dict[str, Pairs] = {}
    for entry in await log_of(connection):
        if entry.type == "registrar.refused":
            errors = entry.data["problem"]["errors"]
            outcomes[entry.data["address"]] = sorted((error["code"], error["pointer"]) for error in errors)
        else:
            outcomes[entry.address] = []
    return outcomes
