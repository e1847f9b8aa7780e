"""The one door: what a record in an agency's topic says, or why it cannot be said.

`judge` is pure: the same bytes, headers and agency give the same verdict for ever (what was seen before only makes it
come sooner). It judges form, then authority; whether an id is new (identity) is for the registrar, which compares
`claim` and `identity` in log order.
"""

from __future__ import annotations

from typing import Final

from events.careful_path import judge_carefully
from events.codec import STRUCTURED_HEADERS
from events.fast_path import accept_binary_quickly, accept_quickly, admit_array_quickly, admit_quickly
from events.kafka_mode import Headers, has_attribute_headers, is_structured
from events.problems import Fault
from events.verdicts import Accepted, Admitted, Agency, Refused

__all__ = ["Accepted", "Admitted", "Agency", "Fault", "Refused", "admit", "admit_array", "judge"]

_USUAL_HEADERS: Final = tuple(STRUCTURED_HEADERS)


def admit(value: bytes | None, headers: Headers, agency: Agency) -> Admitted | Refused:
    """The verdict of `judge` for those who do not ask for the event's identity: the same, at less cost."""
    if value is not None and _needs_no_header(headers):
        admitted = admit_quickly(value, agency)
        if admitted is not None:
            return admitted
        return judge_carefully(value, headers, agency)
    return judge(value, headers, agency)


def admit_array(body: bytes, agency: Agency, events_max: int) -> tuple[list[str], list[bytes]] | None:
    """Ids and bytes of the structured events of a JSON array, where `admit` would surely admit each of them.

    None where that is not sure, or there are more than `events_max`: then `admit` tells of each event by itself.
    """
    return admit_array_quickly(body, agency, events_max)


def judge(value: bytes | None, headers: Headers, agency: Agency) -> Accepted | Refused:
    """The verdict on one record of the topic of `agency`."""
    if value is not None:
        if _needs_no_header(headers):
            accepted = accept_quickly(value, agency)
        else:
            accepted = accept_binary_quickly(value, headers, agency)
        if accepted is not None:
            return accepted
    return judge_carefully(value, headers, agency)


def _needs_no_header(headers: Headers) -> bool:
    """Whether the record is in structured mode and no header can be at fault."""
    return tuple(headers) == _USUAL_HEADERS or (is_structured(headers) and not has_attribute_headers(headers))
