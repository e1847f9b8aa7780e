"""Events from models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from events.faults.details import arabic_of
from events.faults.model import Model
from events.faults.problems import PROBLEMS
from events.types.catalogue import CATALOGUE
from events.types.services import ServiceLaunched
from events.values.money import INTEGER_MAX
from producers.sdk.typed_events import FaultyEvent, typed_event
from tests.every import every

TIME = "2006-01-01T09:00:00+03:00"


def launched(service_id: str = "S-1") -> ServiceLaunched:
    return ServiceLaunched(service_id=service_id, on="2006-01-01", channels=["web"])


def test_type_subject_and_source_follow_from_the_model_and_faults_of_form_are_found() -> None:
    event = orjson.loads(typed_event("health", launched(), "launch-1", TIME, hijridate="1426-12-01"))
    assert event == {
        "specversion": "1.0",
        "id": "launch-1",
        "source": "urn:yesser:agency:health",
        "type": "sa.gov.yesser.service.launched.v1",
        "subject": "service/S-1",
        "time": TIME,
        "datacontenttype": "application/json",
        "hijridate": "1426-12-01",
        "data": {"service_id": "S-1", "on": "2006-01-01", "channels": ["web"]},
    }
    with pytest.raises(FaultyEvent, match="id-looks-personal at /data/service_id"):
        typed_event("health", launched("1234567891"), "launch-1", TIME)
    with pytest.raises(FaultyEvent, match="invalid-value at /time"):
        typed_event("health", launched(), "launch-1", str(INTEGER_MAX))


@every("model", [row.model for row in CATALOGUE.values()])
def test_a_model_that_is_built_wrongly_has_the_sentences_of_a_refusal_and_no_pattern(model: type[Model]) -> None:
    wrong: dict[str, Any] = dict.fromkeys(model.model_fields, "\x01 � /") | {"unkown": 1}
    builds: tuple[Callable[[], object], ...] = (
        lambda: model(**wrong),
        lambda: model.model_validate(wrong),
        lambda: model.model_validate_json(orjson.dumps(wrong)),
        lambda: model.model_validate_json(b"{"),
    )
    texts = []
    for build in builds:
        with pytest.raises(ValidationError) as raised:
            build()
        for error in raised.value.errors():
            assert error["type"] in PROBLEMS
            assert arabic_of(error["msg"]) != error["msg"]
        texts.append(str(raised.value))
    built, read, parsed, broken = texts
    assert built == read == parsed
    assert "{0," not in built
    assert "[A-Z" not in built
    assert "not-json" in broken
    assert not model.__pydantic_custom_init__, "validators of parsed events would call it"
