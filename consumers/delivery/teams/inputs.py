"""What a team, a webhook and a subscription must look like: one definition for the commands and the API.

Flows in: a JSON document. Flows out: a model, or every fault with its pointer and a sentence in both languages. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, LiteralString, TypeVar, get_args

import orjson
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from consumers.delivery import email_address
from consumers.delivery.routing.matching import EventName
from consumers.documents.teams.notices import NOTICE_NAMES
from events.errors import YesserError
from events.faults.details import arabic_of
from events.faults.model import Model
from events.faults.model_errors import model_error
from events.types.catalogue import CATALOGUE
from events.values.bilingual import Bilingual
from events.values.fields import TIME_PATTERN, Channel, Count, Date, Id
from events.values.json_pointer import pointer_of
from events.values.personal_data import holds_personal_data, shows_ten_digits

CONTACTS_MAX: Final = 9
DOMAINS_MAX: Final = 50
DOMAIN_LENGTH_MAX: Final = 253
FILTER_MAX: Final = 50
"""Most rules or services that one subscription names."""
URL_LENGTH_MAX: Final = 2_048
NAME_LENGTH_MAX: Final = 120
FAULTS_MAX: Final = 100

EVENT_NAMES: Final[tuple[EventName, ...]] = get_args(EventName)
"""Without a choice a subscription has all of campaigns but airings and corrections."""

TEAM_PATTERN: Final = r"^[a-z][a-z0-9-]{0,62}$"
ENDPOINT_PATTERN: Final = r"^ep_[a-z2-7]{16}$"
# One line: no control character, and none that changes the direction of what follows it.
_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
LINE_PATTERN: Final = rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"
# ASCII, without user, password and fragment: every reader of it finds the same host.
URL_PATTERN: Final = (
    rf"^https?://(?:{email_address.LABEL}(?:\.{email_address.LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$"
)

SENTENCES: Final[Mapping[str, Bilingual]] = {
    TEAM_PATTERN: Bilingual(
        "رمز الفريق: حرف a-z، ثم حتى 62 من a-z و0-9 و-، مثل press.",
        "Write a team as a letter a-z and up to 62 of a-z, 0-9 and -, such as press.",
    ),
    ENDPOINT_PATTERN: Bilingual(
        "معرّف الويب هوك يبدأ بـ ep_ كما عُرض عند إضافته.", "Write the webhook's id as it was shown, such as ep_…."
    ),
    LINE_PATTERN: Bilingual(
        "اكتب سطرًا واحدًا، دون محارف التحكم ومحارف الاتجاه.",
        "Write one line of words, without control and direction characters.",
    ),
    email_address.ADDRESS_PATTERN: Bilingual(
        "هذا ليس عنوان بريد: اكتبه مثل media@health.gov.example، بحروف لاتينية.",
        "This is not an e-mail address: write it as media@health.gov.example, in ASCII.",
    ),
    email_address.DOMAIN_PATTERN: Bilingual(
        "هذا ليس نطاقًا: اكتبه مثل health.gov.example، بحروف لاتينية (xn--…).",
        "This is not a domain: write it as health.gov.example, in ASCII (xn--…).",
    ),
    URL_PATTERN: Bilingual(
        "اكتب عنوانًا كاملاً يبدأ بـ https://، دون اسم مستخدم ودون #، ومضيفه بصيغة ASCII (xn--…).",
        "Write an absolute https URL without a user name and without #, with its host in ASCII (xn--…).",
    ),
    "address-too-long": Bilingual("ما قبل @ أطول من 64 حرفًا.", "The part before @ has more than 64 characters."),
    "encoded-word": Bilingual(
        "لا يمكن إرسال بريد إلى عنوان فيه =?: استخدم عنوانًا آخر.",
        "No e-mail can be sent to an address with =?; use another one.",
    ),
    "said-twice": Bilingual("مكرر: اذكره مرة واحدة.", "An item occurs twice; write it once."),
    "endpoint-for-webhook": Bilingual(
        "endpoint_id لطريقة ويب هوك (webhook) وحدها.", "Only the route webhook has an endpoint_id; leave it out."
    ),
    "campaigns-or-notices": Bilingual(
        "rules وservices وchannels وfrom_index وfrom_date للحملات وحدها: لا تذكرها مع الإشعارات (notice.…).",
        "rules, services, channels, from_index and from_date are for campaigns; leave them out with notices"
        " (notice.…).",
    ),
    "unknown-type": Bilingual(
        "لا يوجد نوع بهذا الاسم: اكتبه كما في الفهرس.",
        "There is no such type of event: write it as in the catalogue.",
    ),
    "by-day-or-every-days": Bilingual(
        "اذكر by_day (يومًا من الشهر، 1 إلى 28) أو every_days (1 إلى 400)، لا كليهما.",
        "Write by_day (a day of the month, 1 to 28) or every_days (1 to 400), not both.",
    ),
    "one-beginning": Bilingual("اذكر from_index أو from_date، لا كليهما.", "Write from_index or from_date, not both."),
    TIME_PATTERN: Bilingual(
        "اكتب وقتًا بفارق التوقيت، مثل 2026-11-25T08:00:00Z.", "Write a time with its offset: 2026-11-25T08:00:00Z."
    ),
    "no-instant": Bilingual("لا يوجد هذا الوقت.", "There is no such time."),
    "message-or-span": Bilingual(
        "اذكر message_id، أو since مع until أو بدونه.", "Write message_id, or since with or without until."
    ),
    "until-after-since": Bilingual("يجب أن يكون until بعد since.", "until must be later than since."),
    "greater_than_equal": Bilingual("اكتب رقمًا من 0 فصاعدًا.", "Write a whole number from 0 on."),
    "less_than_equal": Bilingual("هذا الرقم أكبر من الممكن.", "This number is greater than any that is in use."),
    "not-json": Bilingual(
        "فيه رقم أكبر من الممكن، أو نص ليس بترميز UTF-8.",
        "This holds a number that is too large, or text that is not UTF-8.",
    ),
    "personal-data": Bilingual(
        "فيه رقم هوية وطنية: احذفه. جهات الاتصال مكاتب لا أشخاص.",
        "This holds a national id; remove it. Contacts are desks, never persons.",
    ),
}
"""By a pattern, or by the code of an error."""


@dataclass(frozen=True, slots=True)
class InputFault:
    """One fault; `pointer` is RFC 6901 into the document."""

    code: str
    pointer: str
    detail: Bilingual


class InvalidInput(YesserError):
    """The document has faults; nothing was changed."""

    def __init__(self, faults: Sequence[InputFault]) -> None:
        super().__init__(" ".join(f"{fault.pointer[1:]}: {fault.detail.en}".removeprefix(": ") for fault in faults))
        self.faults = faults


def _require(condition: object, code: LiteralString) -> None:
    """Raises the error whose sentence has this code."""
    if not condition:
        raise PydanticCustomError(code, code)


def _distinct(values: list[str]) -> list[str]:
    _require(len({value.lower() for value in values}) == len(values), "said-twice")
    return values


def _can_be_written(address: str) -> str:
    try:
        return email_address.checked_address(address)
    except email_address.BadAddress as bad:
        raise PydanticCustomError(bad.fault, "bad") from None


def _instant(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("no-instant", "time") from None
    return text


def _within(most: int) -> Callable[[int], int]:
    """From 1 to so many."""

    def checked(number: int) -> int:
        _require(1 <= number <= most, "by-day-or-every-days")
        return number

    return checked


def _known_type(name: str) -> str:
    _require(name in CATALOGUE, "unknown-type")
    return name


TeamCode = Annotated[str, StringConstraints(pattern=TEAM_PATTERN)]
EndpointId = Annotated[str, StringConstraints(pattern=ENDPOINT_PATTERN)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=LINE_PATTERN)]
Address = Annotated[
    str,
    StringConstraints(max_length=email_address.ADDRESS_LENGTH_MAX, pattern=email_address.ADDRESS_PATTERN),
    AfterValidator(_can_be_written),
]
Addresses = Annotated[list[Address], Field(min_length=1, max_length=CONTACTS_MAX), AfterValidator(_distinct)]
Url = Annotated[str, StringConstraints(max_length=URL_LENGTH_MAX, pattern=URL_PATTERN)]
EventTypeName = Annotated[str, AfterValidator(_known_type)]
Time = Annotated[str, StringConstraints(pattern=TIME_PATTERN), AfterValidator(_instant)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=FILTER_MAX), AfterValidator(_distinct)]
Channels = Annotated[list[Channel], Field(min_length=1, max_length=3), AfterValidator(_distinct)]
EventNames = Annotated[list[EventName], Field(min_length=1, max_length=len(EVENT_NAMES)), AfterValidator(_distinct)]


class TeamName(Model):
    ar: Line
    en: Line


class NewTeam(Model):
    """A team and the addresses of its desks: the first is written to first, the next on escalation."""

    team: TeamCode
    name: TeamName
    language: Literal["ar", "en"] = "ar"
    contacts: Addresses


class NewContacts(Model):
    contacts: Addresses


class NewDomains(Model):
    """Domains of which an agency alone gives addresses. Each is meant as it is, without its subdomains."""

    domains: Annotated[
        list[Annotated[str, StringConstraints(max_length=DOMAIN_LENGTH_MAX, pattern=email_address.DOMAIN_PATTERN)]],
        Field(max_length=DOMAINS_MAX),
        AfterValidator(_distinct),
    ]


class NewWebhook(Model):
    team: TeamCode
    url: Url


class Rotation(Model):
    """`end_old`: the old secrets are invalid at once, and not after a day."""

    end_old: bool = False


class Redelivery(Model):
    """Either one message, or those that were made in a span of time, without its end."""

    message_id: Count | None = None
    since: Time | None = None
    until: Time | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Redelivery:
        _require((self.message_id is None) != (self.since is None), "message-or-span")
        since, until = self.span()
        _require(until is None or (since is not None and until > since), "until-after-since")
        return self

    def span(self) -> tuple[datetime | None, datetime | None]:
        since, until = (None if text is None else datetime.fromisoformat(text) for text in (self.since, self.until))
        return since, until


class NewSubscription(Model):
    """None in `rules`, `services`, `channels` means all; in `types` all of campaigns but airings and corrections."""

    team: TeamCode
    route: Literal["email", "webhook"]
    endpoint_id: EndpointId | None = None
    rules: Ids | None = None
    services: Ids | None = None
    channels: Channels | None = None
    types: EventNames | None = None
    from_index: Count | None = None
    from_date: Date | None = None

    @model_validator(mode="after")
    def _agrees(self) -> NewSubscription:
        _require(self.endpoint_id is None or self.route == "webhook", "endpoint-for-webhook")
        _require(self.from_index is None or self.from_date is None, "one-beginning")
        of_campaigns = (self.rules, self.services, self.channels, self.from_index, self.from_date)
        has_notices = not set(NOTICE_NAMES).isdisjoint(self.types or ())
        _require(not has_notices or all(each is None for each in of_campaigns), "campaigns-or-notices")
        return self


class NewExpectation(Model):
    """An event that an agency expects of its own systems: each month by the end of a day in Riyadh, or at least every
    so many days; about one subject, or any."""

    type: EventTypeName
    subject: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=LINE_PATTERN)] | None = None
    by_day: Annotated[int, AfterValidator(_within(28))] | None = None
    every_days: Annotated[int, AfterValidator(_within(400))] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> NewExpectation:
        _require((self.by_day is None) != (self.every_days is None), "by-day-or-every-days")
        return self


Input = TypeVar("Input", bound=Model)


def validated(model: type[Input], document: object) -> Input:
    """The document as a model. Raises `InvalidInput`."""
    try:
        text = orjson.dumps(document, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
    except TypeError:  # of a command: a number beyond 64 bits, or an argument in another encoding
        raise InvalidInput([InputFault("invalid-value", "", SENTENCES["not-json"])]) from None
    if holds_personal_data(text):
        raise InvalidInput([InputFault("personal-data", "", SENTENCES["personal-data"])])
    try:
        return TypeAdapter(model).validate_python(document)  # pydantic's own errors
    except ValidationError as error:
        details = error.errors(include_url=False)[:FAULTS_MAX]
        quoting = not shows_ten_digits(text)
        raise InvalidInput([_fault(detail, quoting=quoting) for detail in details]) from None


def invalid_value(detail: Bilingual, pointer: str) -> InvalidInput:
    """The error of one fault that only the deployment or the database shows."""
    return InvalidInput([InputFault("invalid-value", pointer, detail)])


def _fault(detail: ErrorDetails, *, quoting: bool) -> InputFault:
    context: Mapping[str, Any] = detail.get("ctx", {})
    own = SENTENCES.get(context.get("pattern", detail["type"]))
    if own is not None:
        return InputFault("invalid-value", pointer_of(detail["loc"]), own)
    found = model_error(detail).fault(quoting=quoting)
    return InputFault(found.code, found.pointer, Bilingual(arabic_of(found.detail), found.detail))
