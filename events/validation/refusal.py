"""The event that records a refusal (`registrar.refused`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import orjson

from events.faults.problems import PROBLEM_TYPE_PREFIX, Fault, title_of
from events.validation.verdicts import Refused
from events.values.bounds import FAULTS_MAX
from events.values.data import Data
from events.wire.codec import build_event

PLATFORM: Final = "platform"
REFUSED: Final = "registrar.refused"
ERRORS_BYTES_MAX: Final = 56_000
"""Faults beyond this size are counted (`unlisted`), not listed, so that an entry keeps its size limit."""


def refusal_event(
    *, topic: str, partition: int, offset: int, value: bytes | None, refused: Refused, time: str
) -> tuple[bytes, str, list[dict[str, str]]]:
    """Canonical bytes and subject of the refusal of the record at this address, and the faults that it lists.

    `time` is the batch's recorded time.
    """
    subject = f"refusal/{topic}/{partition}/o{offset}"
    data: Data = {"address": f"{topic}/{partition}/{offset}"}
    if value is not None and refused.keep_raw:
        data["sha256"] = sha256(value).hexdigest()
    for name in ("claimed_source", "claimed_id", "claimed_type"):
        claimed = getattr(refused, name)
        if claimed is not None:
            data[name] = claimed
    data["problem"] = problem = problem_of(refused.faults, refused.unlisted)
    event = build_event(
        type=REFUSED, agency=PLATFORM, id=f"{topic}:{partition}:o{offset}", subject=subject, time=time, data=data
    )
    return event, subject, problem["errors"]


def may_leave_out(errors: Sequence[Mapping[str, str]]) -> bool:
    """Whether a refusal that lists these faults may have others: its entry says how many (`unlisted`)."""
    return len(errors) >= FAULTS_MAX or len(orjson.dumps(errors)) > ERRORS_BYTES_MAX // 2


def problem_of(faults: Sequence[Fault], unlisted: int = 0) -> Data:
    """The RFC 9457 members of a refusal: type and title of the first fault's code, every fault that fits, and the
    number of the others, to which `unlisted` is added."""
    title = title_of(faults[0].code)
    errors: list[dict[str, str]] = []
    room = ERRORS_BYTES_MAX
    for found in faults:
        error = {"code": found.code, "pointer": found.pointer, "detail": found.detail}
        room -= len(orjson.dumps(error))
        if room < 0:
            break
        errors.append(error)
    problem: Data = {
        "type": PROBLEM_TYPE_PREFIX + faults[0].code,
        "title": {"ar": title.ar, "en": title.en},
        "errors": errors,
    }
    if len(errors) < len(faults) + unlisted:
        problem["unlisted"] = len(faults) + unlisted - len(errors)
    return problem
