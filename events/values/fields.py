"""The common types of `data`: text, id, date, period and integer.

Every constraint is a pattern or a bound, so that the models, the JSON Schemas and the quick check are equivalent.
Rules over several members are in `events/types/rules.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from events.values.money import BASIS_POINTS, INTEGER_MAX

TEXT_LENGTH_MAX: Final = 2_000
URL_LENGTH_MAX: Final = 2_000

ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
CODE_PATTERN: Final = r"^[a-z][a-z0-9-]{1,30}$"
PERIOD_PATTERN: Final = r"^[0-9]{4}-(?:0[1-9]|1[0-2]|Q[1-4])$"
TRAINEE_PATTERN: Final = r"^trn_[a-z2-7]{16,52}$"
SHA256_PATTERN: Final = r"^[0-9a-f]{64}$"
URL_PATTERN: Final = (
    r"^[Hh][Tt][Tt][Pp][Ss]://"
    r'(?:[^\s\x00-\x1f\x7f-\x9f/?#@\[\]\\"<>^`{|}]*@)?'
    r'(?:\[[0-9A-Fa-f:.]+\]|[^\s\x00-\x1f\x7f-\x9f/?#@:\[\]\\"<>^`{|}]+)(?::[0-9]{0,5})?'
    r'(?:[/?#][^\s\x00-\x1f\x7f-\x9f\\"<>^`{|}]*)?$'
)
# Any character but control characters (newline and tab are allowed), with at least one that is not white space.
TEXT_PATTERN: Final = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"

_MONTH_DAY: Final = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_YEAR: Final = r"(?:19(?:28|[3579][26]|[468][048])|20(?:[0246][048]|[135][26]|7[26]))"
# Every day of the Umm al-Qura table: 1924-08-01 … 2077-11-16. The whole years, then both partial years.
DATE_PATTERN: Final = (
    r"^(?:(?:19(?:2[5-9]|[3-9][0-9])|20(?:[0-6][0-9]|7[0-6]))-" + _MONTH_DAY + r"|" + _LEAP_YEAR + r"-02-29"
    r"|1924-(?:(?:08|10|12)-(?:0[1-9]|[12][0-9]|3[01])|(?:09|11)-(?:0[1-9]|[12][0-9]|30))"
    r"|2077-(?:(?:0[13578]|10)-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469])-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8])|11-(?:0[1-9]|1[0-6])))$"
)
# RFC 3339 with offset, years 1925 … 2077, no leap second.
TIME_PATTERN: Final = (
    r"^(?:(?:19(?:2[5-9]|[3-9][0-9])|20(?:[0-6][0-9]|7[0-7]))-" + _MONTH_DAY + r"|" + _LEAP_YEAR + r"-02-29)"
    r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)


class IdField:
    """Marks a field of type `id`: ten digits beginning with 1 or 2 are refused."""


class FreeText:
    """Marks a member of `data` in which an agency writes what it wants: the log keeps its hash, the text stands beside
    the entry and can be withheld (docs/decisions/texts-that-can-be-withheld.md)."""


def is_free_text(marks: Iterable[object]) -> bool:
    """Whether a field with these marks is one."""
    return any(isinstance(mark, FreeText) for mark in marks)


Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=TEXT_PATTERN)]
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN), IdField()]
AgencyCode = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
Trainee = Annotated[str, StringConstraints(pattern=TRAINEE_PATTERN)]
Date = Annotated[str, StringConstraints(pattern=DATE_PATTERN)]
PeriodLabel = Annotated[str, StringConstraints(pattern=PERIOD_PATTERN)]
Url = Annotated[str, StringConstraints(max_length=URL_LENGTH_MAX, pattern=URL_PATTERN)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]

Integer = Annotated[int, Field(ge=-INTEGER_MAX, le=INTEGER_MAX)]
Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
PositiveCount = Annotated[int, Field(ge=1, le=INTEGER_MAX)]
BasisPoints = Annotated[int, Field(ge=0, le=BASIS_POINTS)]
Year = Annotated[int, Field(ge=1343, le=2077)]
PhaseNumber = PositiveCount
PositiveHalalas = PositiveCount
NonNegativeHalalas = Count

Calendar = Literal["gregorian", "umm-al-qura"]
PeriodKind = Literal["month", "quarter"]
Track = Literal["usage", "specialist", "leadership"]
Channel = Literal["tv", "radio", "print"]
Role = Literal["office", "agency", "platform"]
