"""The sentences of e-mails, Arabic and English, by what happened. `{…}` is filled with values that are isolated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from events.values.bilingual import Bilingual


@dataclass(frozen=True, slots=True)
class Wording:
    """The subject, the first sentence, and whether the desk must act (then the letter says how)."""

    subject: Bilingual
    lead: Bilingual
    asks: bool = False
    shows_brief: bool = False


WORDINGS: Final[dict[str, Wording]] = {
    "triggered": Wording(
        Bilingual("حملة توعية جديدة، الموعد {due_short}: {name}", "New awareness campaign, due {due_short}: {name}"),
        Bilingual(
            "على فريقكم بث هذه الحملة على {channels} حتى نهاية يوم {due}.",
            "Your team must air this campaign on {channels} by the end of {due}.",
        ),
        asks=True,
        shows_brief=True,
    ),
    "reminder": Wording(
        Bilingual("تذكير، الموعد {due_short}: {name}", "Reminder, due {due_short}: {name}"),
        Bilingual(
            "تنتهي مهلة هذه الحملة يوم {due}، وما زال ينقصها ما يلي.",
            "This campaign is due on {due}, and the following is missing.",
        ),
        asks=True,
        shows_brief=True,
    ),
    "escalated": Wording(
        Bilingual("حملة مُصعّدة، انقضى موعدها {due_short}: {name}", "Escalated, was due {due_short}: {name}"),
        Bilingual(
            "انقضى موعد هذه الحملة يوم {due} ولم تُستكمل. يُرسل التصعيد إلى جهة الاتصال التالية في الفريق.",
            "This campaign was due on {due} and is not done. Escalations go to the team's next contact.",
        ),
        asks=True,
        shows_brief=True,
    ),
    "paused": Wording(
        Bilingual("حملة موقوفة: {name}", "Campaign paused: {name}"),
        Bilingual("لا تبثوا هذه الحملة حتى تعود الخدمة.", "Do not air this campaign until the service is resumed."),
    ),
    "resumed": Wording(
        Bilingual("عادت الحملة، الموعد الجديد {due_short}: {name}", "Campaign resumed, now due {due_short}: {name}"),
        Bilingual(
            "عادت الخدمة، وأصبح موعد الحملة {due}.", "The service was resumed. The campaign is now due on {due}."
        ),
        asks=True,
    ),
    "acknowledged": Wording(
        Bilingual("استُلمت الحملة، استلمها {by}: {name}", "Acknowledged by {by}: {name}"),
        Bilingual(
            "استلم {by} هذه الحملة يوم {when} (القيد {index}). لا يلزم أي فريق آخر إجراء.",
            "{by} acknowledged this campaign on {when} (entry {index}). Nobody else needs to act.",
        ),
    ),
    "aired": Wording(
        Bilingual("بُثت الحملة على {aired_on}: {name}", "Aired on {aired_on}: {name}"),
        Bilingual(
            "سُجل بث على {aired_on} في {outlet} يوم {when} (القيد {index}).",
            "An airing on {aired_on}, {outlet}, on {when} was reported (entry {index}).",
        ),
    ),
    "airing-corrected": Wording(
        Bilingual("صُحّح وصول بث: {name}", "Reach of an airing corrected: {name}"),
        Bilingual(
            "صُحّح وصول البث {airing_id} يوم {when} إلى {reach} (القيد {index}).",
            "The reach of airing {airing_id} was corrected on {when} to {reach} (entry {index}).",
        ),
    ),
    "completed": Wording(
        Bilingual("اكتملت الحملة: {name}", "Campaign completed: {name}"),
        Bilingual(
            "اكتملت هذه الحملة يوم {when} (القيد {index}). لا يلزم إجراء آخر.",
            "This campaign was completed on {when} (entry {index}). Nothing more needs to be done.",
        ),
    ),
    "endpoint-disabled": Wording(
        Bilingual("عُطّل ويب هوك لفريقكم: {endpoint}", "A webhook of your team was disabled: {endpoint}"),
        Bilingual(
            "لم يعد {endpoint} يتلقى شيئًا، لأن {why}. أصلحوه ثم فعّلوه كما هو مبيّن أدناه.",
            "{endpoint} gets nothing more, because {why}. Repair it, then enable it as said below.",
        ),
    ),
    "confirm-address": Wording(
        Bilingual("أكّدوا هذا العنوان لرسائل الفريق {team}", "Confirm this address for letters of the team {team}"),
        Bilingual(
            "أضاف الفريق {team} هذا العنوان ليستقبل رسائله: حملات التوعية، أو الإشعارات بما ترسله أنظمة الجهة."
            " لا تُرسل إليه إلا بعد تأكيده. إن كنتم لا تعرفون الفريق فلا تفعلوا شيئًا، أو أوقفوا الرسائل بالرابط أدناه.",
            "The team {team} added this address to get its letters: awareness campaigns, or notices of what the"
            " agency's systems send. They are sent only once it is confirmed. If you do not know the team, do nothing,"
            " or stop all letters with the link below.",
        ),
    ),
    "notice.refusal": Wording(
        Bilingual("سجلات مرفوضة من {agency}: {count}", "Refused records of {agency}: {count}"),
        Bilingual(
            "رفض المسجّل سجلات أرسلتها أنظمة {agency}. ما رُفض لا يُحسب حتى يُصحّح ويُرسل من جديد.",
            "The registrar refused records that the systems of {agency} sent. A refused record does not count until it"
            " is corrected and sent again.",
        ),
    ),
    "notice.anomaly": Wording(
        Bilingual("تناقضات من {agency}: {count}", "Anomalies of {agency}: {count}"),
        Bilingual(
            "قُبلت أحداث من {agency} تناقض ما هو معروف: تناقضات لم تغيّر شيئًا.",
            "Events of {agency} were accepted that contradict what is known: anomalies. They changed nothing.",
        ),
    ),
    "notice.pause": Wording(
        Bilingual("أُبطئت قراءة موضوع {agency}", "The topic of {agency} is paused"),
        Bilingual(
            "يقرأ المسجّل موضوع {agency} ببطء: سجلًا واحدًا بعد كل انتظار، إلى أن يُقبل سجل. لم يُفقد شيء."
            " أصلحوا ما ترسله أنظمتكم.",
            "The registrar reads the topic of {agency} slowly: one record after each wait, until one is accepted."
            " Nothing is lost. Correct what your systems send.",
        ),
    ),
    "notice.halt": Wording(
        Bilingual("توقفت قراءة موضوع {agency}", "The topic of {agency} is halted"),
        Bilingual(
            "توقف المسجّل عن قراءة موضوع {agency} حتى يتدخل مشغّل المنصة. اتصلوا به، ولا تعيدوا إرسال ما حُفظ.",
            "The registrar stopped reading the topic of {agency} until the platform's operator acts. Contact the"
            " operator; do not send again what was stored.",
        ),
    ),
    "notice.resumed": Wording(
        Bilingual("عادت قراءة موضوع {agency}", "The topic of {agency} is read again"),
        Bilingual(
            "عاد المسجّل إلى قراءة موضوع {agency}. راجعوا إيصالاتكم قبل أن تعيدوا إرسال أي شيء.",
            "The registrar reads the topic of {agency} again. Look at your receipts before you send anything again.",
        ),
    ),
    "notice.credential": Wording(
        Bilingual("رمز دخول باسم {agency} ينتهي قريبًا", "A token of {agency} expires soon"),
        Bilingual(
            "بعد انتهائه ترفض البوابة أنظمة {agency} التي تستعمله. اطلبوا رمزًا جديدًا من مدير النظام.",
            "After that the gateway refuses the systems of {agency} that use it. Ask an administrator for a new token.",
        ),
    ),
    "notice.certificate": Wording(
        Bilingual("شهادة عميل باسم {agency} تنتهي قريبًا", "A client certificate of {agency} expires soon"),
        Bilingual(
            "بعد انتهائها ترفض المنصة أنظمة {agency} التي تستعملها. اطلبوا شهادة جديدة من مدير النظام.",
            "After that the platform refuses the systems of {agency} that use it. Ask the administrator for a new one.",
        ),
    ),
    "notice.silence": Wording(
        Bilingual("أحداث متوقعة من {agency} لم تصل: {count}", "Expected events of {agency} that did not come: {count}"),
        Bilingual(
            "لم يسجَّل في الموعد ما تتوقعه {agency} من أنظمتها.",
            "What {agency} expects of its own systems was not recorded in time.",
        ),
    ),
    "digest": Wording(
        Bilingual(
            "ملخص الأسبوع: {overdue} متأخرة، {this_week} هذا الأسبوع",
            "Weekly digest: {overdue} overdue, {this_week} due this week",
        ),
        Bilingual("حملات فريق {team} يوم {when}.", "The campaigns of {team} on {when}."),
    ),
}

REASON: Final = Bilingual("السبب", "Why")
WORKING_DAYS_LEFT: Final = Bilingual("أيام العمل الباقية", "Working days left")
ACKNOWLEDGED_BY: Final = Bilingual(
    "استلمها {by} يوم {when} (القيد {index})", "Acknowledged by {by} on {when} (entry {index})"
)
IN_CONSOLE: Final = Bilingual("افتح الحملة", "Open the campaign")
WEBHOOK_IN_CONSOLE: Final = Bilingual("افتح الويب هوك", "Open the webhook")
ACKNOWLEDGE: Final = Bilingual("لاستلامها", "To acknowledge it")
REPORT_AIRING: Final = Bilingual("لتسجيل بث", "To report an airing")
ENABLE: Final = Bilingual("لتفعيله", "To enable it")
REPEAT: Final = Bilingual("تكرار محتمل", "Possible repeat")
REPEAT_NOTE: Final = Bilingual(
    "انقطع الاتصال بخادم البريد قبل أن يؤكد وصول رسالة سابقة بهذا المحتوى. إن كانت قد وصلتكم فأهملوا هذه.",
    "The mail server did not confirm an earlier message with this content. If you have it, ignore this one.",
)
REPLAY: Final = Bilingual("حدث سابق", "Earlier event")
GONE: Final = Bilingual("خادمه أجاب بأنه أُزيل (410)", "its server answered that it is gone (410)")
FAILING: Final = Bilingual("خادمه لم يقبل شيئًا منذ أيام", "its server has accepted nothing for days")
BY_TEAM: Final = Bilingual("فريقكم عطّله", "your team disabled it")
FROM_GATEWAY: Final = Bilingual("من البوابة", "From the gateway")
FIRST_ITEMS: Final = Bilingual("أول {} من {}", "The first {} of {}")
OPEN_CONSOLE: Final = Bilingual("افتح الواجهة", "Open the console")
ITEMS: Final = Bilingual("التفاصيل", "Details")
FIRST_WAIT: Final = Bilingual("الانتظار الأول", "First wait")
NOT_READ: Final = Bilingual("لم يُقرأ الموضوع", "The topic was not read")

SILENT: Final = Bilingual("انقضى موعدها دون أي بث", "Launched without any airing, and overdue")
THIS_WEEK: Final = Bilingual("موعدها هذا الأسبوع", "Due this week")
LATER: Final = Bilingual("موعدها لاحقًا", "Due later")
NONE: Final = Bilingual("لا حملات.", "No campaigns.")
FURTHER: Final = Bilingual("وحملات أخرى عددها {count}: `{command}`", "And {count} more: `{command}`")
CONFIRM: Final = Bilingual("تأكيد العنوان", "Confirm the address")
FOOTER: Final = Bilingual(
    "رسالة آلية من منصة يسّر، تصلكم لأن هذا العنوان من جهات الاتصال في فريق {team}."
    " لا تردوا عليها بوثائق أو بيانات شخصية.",
    "An automatic message of the Yesser platform. You get it because this address is a contact of {team}."
    " Do not reply with documents or personal data.",
)
STOP: Final = Bilingual("لإيقاف الرسائل إلى هذا العنوان", "To stop letters to this address")
