"""The registrar's verdict on each line that an agency publishes, slowly: form → authority → identity (§1, §5).

A verdict depends on the agency's own earlier lines only, so each agency's file is judged by itself, in its order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.oracle.catalogue import TYPES
from tests.oracle.envelope import faults_of_form, present
from tests.oracle.log import SOURCE_PREFIX, JsonObject, short_type
from tests.oracle.reading import Fault, names_of_object, read
from tests.oracle.records import Headers, read_record

LINE_BYTES_MAX = 130_000
FILLED = ("specversion", "source", "datacontenttype")
NOT_COMPARED = {"sequence", "traceparent", "tracestate"}
ROLE_OF_OFFICE = ("office", "agency")


@dataclass(frozen=True)
class Agency:
    """An agency as registered; `role` is office, agency or platform."""

    code: str
    role: str = "agency"

    def may_say(self, name: str) -> bool:
        who = TYPES[name].who
        return who in ROLE_OF_OFFICE if self.role == "office" else who == self.role


@dataclass(frozen=True)
class Verdict:
    """What became of one line. `event` is the accepted event; `of_line` the first one of a duplicate."""

    line: int
    kind: str
    faults: tuple[Fault, ...] = ()
    event: JsonObject | None = None
    of_line: int | None = None
    sent: bool = True


@dataclass(frozen=True)
class Publication:
    """All verdicts of one file."""

    agency: str
    verdicts: list[Verdict]

    def count(self, kind: str) -> int:
        return sum(verdict.kind == kind for verdict in self.verdicts)

    def counts(self) -> dict[str, int]:
        """As `yesser publish` prints them."""
        return {
            "lines": len(self.verdicts),
            "accepted": self.count("accepted"),
            "duplicates": self.count("duplicate"),
            "conflicts": self.count("conflict"),
            "refused": self.count("refused"),
        }

    def problems(self) -> dict[int, tuple[Fault, ...]]:
        """The faults by line number."""
        return {verdict.line: verdict.faults for verdict in self.verdicts if verdict.faults}

    def accepted(self) -> list[JsonObject]:
        """The accepted events in order."""
        return [verdict.event for verdict in self.verdicts if verdict.event is not None]


@dataclass
class Registrar:
    """The registrar's memory of one agency's topic: what each id was first used for, and on which line."""

    agency: Agency
    ids: dict[str, tuple[str, int]] = field(default_factory=dict)

    def publish(self, lines: Iterable[bytes]) -> Publication:
        """Judge the lines of a file, numbered from 1; blank ones are skipped."""
        verdicts = [self.judge(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        return Publication(self.agency.code, verdicts)

    def judge(self, number: int, line: bytes) -> Verdict:
        """The verdict on one line as it is in the file."""
        raw = fill(line, self.agency.code)
        if len(raw) > LINE_BYTES_MAX:
            return Verdict(number, "refused", (("too-large", ""),), sent=False)
        return self._verdict(number, read(raw), [])

    def judge_record(self, number: int, value: bytes, headers: Headers) -> Verdict:
        """The verdict on a Kafka record of the agency's topic, in structured or binary mode."""
        event, bad_headers = read_record(value, headers)
        return self._verdict(number, event, bad_headers)

    def _verdict(self, number: int, event: JsonObject | list[Fault], bad_headers: list[Fault]) -> Verdict:
        if isinstance(event, list):
            return Verdict(number, "refused", tuple(event))
        faults = faults_of_form(event, bad_headers) or self._authority(event)
        if faults:
            return Verdict(number, "refused", tuple(faults))
        identity = canonical(event)
        if event["id"] not in self.ids:
            self.ids[event["id"]] = (identity, number)
            return Verdict(number, "accepted", event=event)
        first, of_line = self.ids[event["id"]]
        if first == identity:
            return Verdict(number, "duplicate", of_line=of_line)
        return Verdict(number, "conflict", (("conflict", ""),))

    def _authority(self, event: JsonObject) -> list[Fault]:
        if event["source"] != SOURCE_PREFIX + self.agency.code:
            return [("foreign-source", "/source")]
        return [] if self.agency.may_say(short_type(event)) else [("not-authorised", "/type")]


def canonical(event: JsonObject) -> str:
    """What must be equal in two records of the same event; all values are strings, integers, booleans and null."""
    kept = {name: value for name, value in present(event).items() if name not in NOT_COMPARED}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def fill(line: bytes, agency: str) -> bytes:
    """What `yesser publish` sends: the line with the three attributes that it may lack, spliced after the first `{`."""
    names = names_of_object(line)
    if names is None:
        return line
    values = {"specversion": "1.0", "source": SOURCE_PREFIX + agency, "datacontenttype": "application/json"}
    added = ",".join(f'"{name}":"{values[name]}"' for name in FILLED if name not in names)
    if not added:
        return line
    head, _, tail = line.partition(b"{")
    return head + b"{" + added.encode() + (b"," if names else b"") + tail


def verdicts(lines: Mapping[str, list[bytes]], agencies: Iterable[Agency]) -> dict[str, Publication]:
    """Each agency's publication, in the order of `agencies`."""
    return {agency.code: Registrar(agency).publish(lines.get(agency.code, [])) for agency in agencies}
