"""A text in one language, the names of channels, and what became of addresses and e-mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from consumers.documents import campaigns
from events.faults.problems import Bilingual

Language = Literal["ar", "en"]

_STATES: Final = {
    "confirmed": Bilingual("مؤكد منذ {since}", "confirmed since {since}"),
    "registered-domain": Bilingual("نطاق الجهة", "domain of the agency"),
    "waiting": Bilingual("ينتظر التأكيد منذ {since}", "waits for confirmation since {since}"),
    "stopped": Bilingual("أوقف صاحبه الرسائل في {since}", "its reader stopped letters on {since}"),
}
_USED: Final = Bilingual("، ويُستخدم دونه حتى {until}", "; used without it until {until}")
_REASONS: Final = {
    "unconfirmed": Bilingual("لم يؤكد أحد العنوان", "nobody has confirmed the address"),
    "stopped": Bilingual("أوقف صاحب العنوان الرسائل", "the reader stopped letters"),
    "team-changed": Bilingual("غُيّرت بيانات الفريق في قاعدة البيانات", "the team's row was changed in the database"),
    "no-contact": Bilingual("لا عنوان للفريق", "the team has no address"),
    "refused": Bilingual("رفضها خادم البريد", "the mail server refused it"),
    "expired": Bilingual("لم تُسلّم خلال خمسة أيام", "it could not be delivered for five days"),
    "unknown": Bilingual("لم يؤكد خادم البريد وصولها", "the mail server did not confirm it"),
}


def languages(first: str) -> tuple[Language, Language]:
    """Both languages, that of the reader first."""
    return ("en", "ar") if first == "en" else ("ar", "en")


def of(text: Bilingual, language: Language) -> str:
    return text.ar if language == "ar" else text.en


def channel_list(channels: Sequence[str], language: Language) -> str:
    names = campaigns.channel_list(channels)
    return names.ar if language == "ar" else names.en


def state_words(address: Mapping[str, Any]) -> Bilingual:
    """The state of an address (`Recipient.document`). Times are `datetime` or as JSON writes them."""
    days = {"since": _day(address["since"]), "until": _day(address["used_until"])}
    used = _USED if address["used_until"] else Bilingual("", "")
    text = _STATES[address["state"]]
    return Bilingual((text.ar + used.ar).format_map(days), (text.en + used.en).format_map(days))


def reason_words(reason: str) -> Bilingual:
    """Why an e-mail was not sent; a rare reason as its code."""
    return _REASONS.get(reason, Bilingual(reason, reason))


def _day(at: object) -> str:
    return str(at)[:10]
