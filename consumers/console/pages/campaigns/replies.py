"""What the gateway answered to a change, as faults of a form. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumers.console.data.gateway import Reply
from consumers.console.pages.campaigns.reporting import Faults
from events.faults.problems import Bilingual

AWAY: Final = Bilingual(
    "البوابة لا تجيب الآن، ولم يُرسل شيء. أعد المحاولة بعد قليل؛ ما كتبته باقٍ هنا.",
    "The gateway does not answer. Nothing was sent. Try again in a moment: what you typed is still here.",
)
UNKNOWN: Final = Bilingual(
    "لم تجب البوابة في الوقت المحدد، وقد يكون الطلب وصل. أرسله مرة أخرى: لا يُحتسب مرتين.",
    "The gateway did not answer in time, and may have stored this. Send it again: it is not counted twice.",
)
MAYBE_CHANGED: Final = Bilingual(
    "لم تجب البوابة في الوقت المحدد، وقد يكون التغيير تم. انظر في صفحة الفريق قبل أن ترسله مرة أخرى.",
    "The gateway did not answer in time, and may have made the change. Look at the team's page before you repeat it.",
)
_UNTITLED: Final = Bilingual("تعذر الإرسال. أعد المحاولة.", "This could not be sent. Try again.")


def general_fault(reply: Reply) -> Bilingual | str:
    """Why it was not accepted, in the reader's language, as the gateway says it."""
    document: Mapping[str, Any] = reply.document if isinstance(reply.document, dict) else {}
    details = [str(error.get("detail", "")) for error in document.get("errors", ())]
    sentences = details or [str(document[name]) for name in ("title", "detail") if document.get(name)]
    return " ".join(filter(None, sentences)) or _UNTITLED


def body_faults(reply: Reply, fields: Mapping[str, str]) -> Faults:
    """The faults of a form whose document was refused: `fields` are the form's, by the first part of the pointer."""
    document: Mapping[str, Any] = reply.document if isinstance(reply.document, dict) else {}
    found: Faults = {}
    for error in document.get("errors", ()):
        pointer = str(error.get("pointer", ""))
        field = fields.get(pointer) or fields.get("/" + pointer.lstrip("/").partition("/")[0], "")
        found.setdefault(field, str(error.get("detail", "")))
    return found or {"": general_fault(reply)}
