"""What an error page says: problems in words for people at a browser. The gateway speaks to people who program."""

from __future__ import annotations

from typing import Final

from events.values.bilingual import Bilingual
from infra.http.problems import EXPLANATIONS, Explanation, RequestCode

CHANGED: Final = Explanation(
    500,
    Bilingual("ما هو مخزَّن يخالف السجل", "What is stored differs from the log"),
    Bilingual(
        "لا تعتمد على أرقام هذه الصفحة، وأبلغ مكتب البرنامج: في دليل التشغيل ما يلزم.",
        "Do not rely on the figures of this page, and tell the programme office: the runbook says what to do.",
    ),
)
LISTED: Final[frozenset[str]] = frozenset({"not-allowed-now", "invalid-body", "unknown-parameter"})
"""Problems whose page lists what is said of each value."""

_VALUE: Final = (
    Bilingual("قيمة غير صالحة", "A value is not valid"),
    Bilingual(
        "في عنوان الصفحة أو في النموذج قيمة غير صالحة. عد إلى الصفحة السابقة وصححها.",
        "The address of the page or the form has a value that is not valid. Go back and correct it.",
    ),
)
_WORDS: Final[dict[RequestCode, tuple[Bilingual, Bilingual]]] = {
    "malformed-request": (
        Bilingual("تعذرت قراءة النموذج", "The form cannot be read"),
        Bilingual(
            "لم يُرسل شيء. عد إلى النموذج وأرسله من جديد.", "Nothing was sent. Go back to the form and send it again."
        ),
    ),
    "unauthenticated": (
        Bilingual("لم تعرف البوابة هذه الواجهة", "The gateway does not know this console"),
        Bilingual("لم يُرسل شيء. أبلغ مدير النظام.", "Nothing was sent. Tell an administrator."),
    ),
    "forbidden": (
        Bilingual("لا يسمح حسابك بهذا", "Your account does not allow this"),
        Bilingual(
            "يحدد مدير النظام ما يراه كل حساب وما يفعله.", "An administrator sets what an account may see and do."
        ),
    ),
    "not-found": (
        Bilingual("غير موجود", "Not found"),
        Bilingual(
            "لا شيء بهذا العنوان، أو ليس لحسابك أن يراه.", "Nothing is at this address, or your account may not see it."
        ),
    ),
    "no-such-route": (
        Bilingual("لا صفحة بهذا العنوان", "There is no page at this address"),
        Bilingual("تحقق من العنوان، أو ابدأ من الصفحة الأولى.", "Check the address, or begin at the first page."),
    ),
    "method-not-allowed": (
        Bilingual("لا تُفتح هذه الصفحة بعنوانها", "This page does not open by its address"),
        Bilingual("عد إلى الصفحة السابقة، وأرسل النموذج منها.", "Go back to the page before, and send the form there."),
    ),
    "request-too-large": (
        Bilingual("ما أرسلته أكبر من الحد المسموح", "What you sent is too large"),
        Bilingual(
            "لم يُرسل شيء. اختصر ما كتبته، أو اختر ملفًا أصغر.",
            "Nothing was sent. Shorten what you typed, or choose a smaller file.",
        ),
    ),
    "bad-parameter": _VALUE,
    "unknown-parameter": (
        Bilingual("في العنوان ما ليس في هذه الصفحة", "The address asks for what this page does not have"),
        Bilingual("صحح الاسم في العنوان أو احذفه.", "Correct the name in the address, or remove it."),
    ),
    "invalid-body": (
        Bilingual("في النموذج حقول غير صالحة", "Fields of the form are not valid"),
        Bilingual("لم يتغير شيء.", "Nothing was changed."),
    ),
    "not-allowed-now": (EXPLANATIONS["not-allowed-now"].title, Bilingual("لم يتغير شيء.", "Nothing was changed.")),
    "too-many-requests": (
        EXPLANATIONS["too-many-requests"].title,
        Bilingual("انتظر دقيقة ثم حاول من جديد.", "Wait a minute, then try again."),
    ),
    "kafka-away": (
        Bilingual("البوابة لا تجيب الآن", "The gateway does not answer now"),
        Bilingual("لم يُرسل شيء. حاول بعد قليل.", "Nothing was sent. Try again in a moment."),
    ),
    "database-away": (
        EXPLANATIONS["database-away"].title,
        Bilingual(
            "حاول بعد قليل. إن كنت أرسلت شيئًا فانظر هل وصل قبل أن تعيد إرساله.",
            "Try again in a moment. If you sent something, look whether it arrived before you send it again.",
        ),
    ),
    "overloaded": (
        Bilingual("المنصة مشغولة الآن", "The platform is busy now"),
        Bilingual("حاول بعد قليل.", "Try again in a moment."),
    ),
    "outcome-unknown": (
        EXPLANATIONS["outcome-unknown"].title,
        Bilingual(
            "لم تجب البوابة في الوقت المحدد، وربما وصل ما أرسلته. انظر هل وصل قبل أن تعيد إرساله.",
            "The gateway did not answer in time, and may have what you sent. Look whether it arrived before you send it"
            " again.",
        ),
    ),
    "gateway-fault": (
        Bilingual("حدث خطأ في المنصة", "Something went wrong here"),
        Bilingual(
            "هذا خطأ لدينا. حاول مرة أخرى، وإن تكرر فأبلغ مدير النظام. إن كنت أرسلت شيئًا فانظر هل وصل قبل أن"
            " تعيد إرساله.",
            "This is our error. Try again, and tell an administrator if it stays. If you sent something, look whether"
            " it arrived before you send it again.",
        ),
    ),
}


def explanation_of(code: RequestCode) -> Explanation:
    """What a page says of a problem, with the status of the problem."""
    found = EXPLANATIONS[code]
    return Explanation(found.status, *_WORDS.get(code, (found.title, found.detail)))
