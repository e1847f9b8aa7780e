"""What is in the log (events.md §3 and §5): where events are, the proof of one, accepted events that contradict what is
known and changed nothing, which sequence numbers of an agency's month are there, the log's checkpoints, and places that
hold the name of a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.document import AgencyCode, Count, EventType, Instant, Label, Labelled, Listing, RuleCode
from events.values.data import Data
from events.wire.texts import put_back
from infra.log.ports.bundle_texts import BundleText

PAGE_ROWS_MAX: Final = 1_000
"""Most entries of a page."""
ProofLink = Annotated[str, Meta(description="Of the entry's proof.", extra_json_schema={"format": "uri-reference"})]


class Entry(Struct, frozen=True, kw_only=True):
    """Where an event is in the log. `time` is the event's own."""

    READ_FIRST: ClassVar = ("index", "type", "subject", "agency", "time")

    index: Annotated[Count, Label("القيد", "Entry")]
    id: Annotated[str, Label("معرّف الحدث", "Event id")]
    source: str
    type: Annotated[EventType, Label("نوع الحدث", "Event type", drop=1)]
    subject: Annotated[str, Label("الموضوع", "Subject", drop=3)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=2)]
    time: Annotated[Instant, Label("وقت الحدث", "Time of the event", drop=4)]
    proof: ProofLink


class Proof(Struct, frozen=True, kw_only=True):
    """An entry's bytes and what shows that they are in the log. Hashes are base64."""

    index: Count
    entry: str
    leaf: str
    size: Count
    path: tuple[str, ...]
    checkpoint: str
    rotations: str
    texts: tuple[BundleText, ...] | UnsetType = UNSET
    """Of an entry that has texts: those that are here, and that others are withheld."""

    @property
    def shown(self) -> bytes:
        """The entry as it is shown: with its texts."""
        return put_back(self.entry.encode(), {text.sha256: text.text.encode() for text in self.kept_texts})

    @property
    def kept_texts(self) -> tuple[BundleText, ...]:
        return () if self.texts is UNSET else self.texts


ENTRIES: Final = Listing("قيود السجل", "Log entries", Entry)


class Anomaly(Struct, frozen=True, kw_only=True):
    index: Annotated[Count, Label("القيد", "Entry")]
    found_index: Annotated[Count, Label("وُجد عند", "Found at", drop=4)]
    rule: Annotated[RuleCode, Label("القاعدة", "Rule")]
    type: Annotated[EventType, Label("الحدث", "Event", drop=2)]
    subject: Annotated[str, Label("الموضوع", "Subject", drop=1)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=3)]
    claimed: Data
    known: Data
    """What is known instead: which names it has depends on the rule."""
    judged: bool | UnsetType = UNSET
    """False as of an occurred date: what it contradicts is the entries that count, not those before it."""


RANGES_SHOWN_MAX: Final = 5
SequenceNumber = Count | str
"""A text beyond 53 bits."""


class CompletenessStatus(Labelled):
    """`NO_NUMBERS_IN_LOG`: there are refused records, whose entries hold no number, and no event with one: whether
    numbers were sent is not known. `ONLY_EARLIER_NUMBERS`: all numbers of the month fill holes of earlier ones."""

    NOTHING_SENT = "nothing-sent", "لم يُرسل شيء", "Nothing was sent", "quiet"
    NO_NUMBERS_SENT = "no-numbers-sent", "لم تُرسل أرقام", "No numbers were sent", "quiet"
    NO_NUMBERS_IN_LOG = (
        *("no-numbers-in-log", "لا أرقام في السجل: لا يحفظ أرقام المرفوض"),
        *("No numbers in the log: it holds none of refused records", "quiet"),
    )
    ONLY_EARLIER_NUMBERS = "only-earlier-numbers", "أرقام أشهر سابقة فقط", "Only numbers of earlier months", "quiet"
    COMPLETE = "complete", "مكتمل", "Complete", "good"
    INCOMPLETE = "incomplete", "ناقص", "Incomplete", "late"
    NOT_KNOWN = "not-known", "غير معروف: الأرقام متفرقة", "Not known: the numbers are too scattered"


_READ: Final = ["complete", "incomplete", "only-earlier-numbers", "no-numbers-sent", "not-known"]
"""What the registrar says: it read the numbers of refused records too."""


class AgencyMonth(Struct, frozen=True, kw_only=True):
    """What the registrar read of an agency in a month."""

    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    status: Annotated[CompletenessStatus, Label("الحالة", "State"), Meta(extra_json_schema={"enum": _READ})]
    first: Annotated[SequenceNumber | None, Label("من رقم", "From number")]
    last: Annotated[SequenceNumber | None, Label("إلى رقم", "To number")]
    missing_count: Annotated[SequenceNumber | None, Label("ما لم يصل", "Missing")]


class MonthRow(Struct, frozen=True):
    """An agency's month. `entries`: accepted events, `numbered`: those with a number, `refused`: refused records.

    `first` to `last` are the month's own numbers; of these `in_log`, `missing` and `repeated` (on two accepted events)
    are inclusive ranges. `missing_count` is None where nothing can be missing or it is not known.
    """

    READ_FIRST: ClassVar = ("month", "status", "entries", "numbered", "refused", "numbers")

    agency: str
    month: Annotated[str, Label("الشهر", "Month")]
    status: Annotated[CompletenessStatus, Label("الحالة", "State")]
    entries: Annotated[int, Label("القيود", "Entries", drop=3)]
    numbered: Annotated[int, Label("المرقّم", "Numbered", drop=4)]
    refused: Annotated[int, Label("المرفوض", "Refused", drop=5)]
    first: int | None
    last: int | None
    missing_count: Annotated[int | None, Label("عدد الناقص", "Missing")]
    in_log: list[list[int]]
    missing: list[list[int]]
    repeated: list[list[int]]

    @property
    def numbers(self) -> Annotated[str | None, Label("الأرقام", "Numbers", drop=2)]:
        return None if self.first is None else f"{self.first}-{self.last}"

    @property
    def which(self) -> Annotated[str, Label("الناقص", "Which", drop=1)]:
        return ranges_text(self.missing, RANGES_SHOWN_MAX)


def ranges_text(ranges: Sequence[Sequence[int]], most: int | None = None) -> str:
    """`1-5 9`; with `most`, only the first ranges and how many follow."""
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:most]]
    left = len(ranges) - len(shown)
    return " ".join([*shown, *([f"+{left}"] if left else [])])


class Months(Struct, frozen=True, kw_only=True):
    """The months that have numbers, and the agencies in one of them."""

    month: str | None
    months: tuple[str, ...]
    agencies: tuple[AgencyMonth, ...]


class Signature(Struct, frozen=True, kw_only=True):
    """As the lines of a note say: nothing is verified. A witness's has its time."""

    name: str
    key_id: str
    is_cosignature: bool
    cosigned: Instant | None


class SignedCheckpoint(Struct, frozen=True, kw_only=True):
    size: Count
    note: Annotated[str, Meta(description="A C2SP signed note.")]
    signed: Annotated[Instant | None, Meta(description="When it was stored, by the database's clock.")]
    signatures: tuple[Signature, ...]


class LogState(Struct, frozen=True, kw_only=True):
    """The newest checkpoint, and the newest that enough witnesses cosigned."""

    size: Count
    recorded: Instant | None
    checkpoint: SignedCheckpoint | None
    cosigned: SignedCheckpoint | None
    rotations: tuple[str, ...]


class Consistency(Struct, frozen=True, kw_only=True):
    old_size: Count
    new_size: Count
    path: tuple[str, ...]


class NamedPlace(Struct, frozen=True, kw_only=True):
    """A text of an entry, or of the kept bytes of a refused record, whose refusal is entry `index`.

    `pointer` is a JSON pointer into the event. `command` withholds the text or deletes the record; None: nothing does.
    """

    READ_FIRST: ClassVar = ("index", "is_refused", "agency", "pointer", "text")

    index: Annotated[Count, Label("القيد", "Entry")]
    is_refused: Annotated[bool, Label("سجل مرفوض", "Refused record", drop=2)]
    recorded: Annotated[Instant, Label("وقت التسجيل", "Recorded", drop=4)]
    type: Annotated[EventType | None, Label("نوع الحدث", "Event type", drop=3)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    pointer: Annotated[str, Label("الموضع", "Place")]
    text: Annotated[str, Label("النص", "Text", drop=1)]
    command: str | None


NAMED_PLACES: Final = Listing("المواضع التي ورد فيها النص", "Places that hold the text", NamedPlace)
