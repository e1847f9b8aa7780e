"""An explanation as JSON and as tables in the terminal; a page shows it by `templates/audit/explain.html`.

The names of figures, of their documents: what a model's key is about, and each field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args

from msgspec import UNSET, Struct, structs
from rich.console import RenderableType
from rich.text import Text

from consumers.documents.campaigns.campaigns import Campaign, CampaignAndHistory, Channel, OnChannels
from consumers.documents.document import NO, YES, Field, Label, Labelled, Name, fields, label_of, listed
from consumers.documents.formulas import amount_text
from consumers.documents.ledger.ledger import EXPLAINED_TRANSFERS, Account
from consumers.documents.ledger.partnerships import Partnership
from consumers.documents.ledger.statements import ExplainedFigure
from consumers.documents.log.explanations import Change, DerivedFigure, Explanation, Step
from consumers.documents.names import Code, Kind, kind_of, with_code
from consumers.documents.programme import plan
from consumers.documents.programme.directory import SERVICES, Counted, Project, ProjectKind, Service
from consumers.documents.tables import cells, columns, grid, named, names
from consumers.explain.derivations import Derivation
from consumers.explain.explain import Explained
from consumers.explain.models import Model
from consumers.explain.statement_formulas import FORMULAS, LABELS
from consumers.revenue.statements.paper import share_sheet, sheet_table
from events.schema_tools.field_meanings import meaning_of
from events.values.bilingual import Bilingual, joined
from events.values.money import riyals_text
from events.wire.envelope import short_type
from infra.command_line.display import Column, Grid, Row
from infra.command_line.language import localized
from infra.json_documents import members, to_json

_B = Bilingual
Words = Bilingual | Label | Labelled
_MODELS: Final[Mapping[str, Bilingual]] = {
    "services": label_of(Service, "service_id"),
    "projects": label_of(Project, "project_id"),
    "training": plan.TRAINING,
    "campaigns": label_of(Campaign, "campaign_id"),
    "coverage": _B("تغطية الخدمة", "Coverage of service"),
    "partnerships": label_of(Partnership, "partnership_id"),
    "statements": _B("كشف الشراكة", "Statement of partnership"),
    "accounts": label_of(Account, "kind"),
    "activity": _B("نشاط الجهة", "Activity of agency"),
}
_PLAN: Final[Mapping[str, Words]] = {
    "plan": _B("الخطة المعروضة", "The plan that is shown"),
    "infrastructure": ProjectKind.INFRASTRUCTURE,
    "national_applications": ProjectKind.NATIONAL_APPLICATION,
    "services": SERVICES,
    "training": plan.TRAINING,
    "awareness": label_of(plan.Plan, "awareness"),
    "partnerships": label_of(Partnership, "partnership_id"),
    "anomalies": label_of(plan.Plan, "anomalies"),
    "refusals": label_of(plan.Plan, "refusals"),
}
_OF_THE_PLAN: Final = (plan.Application, plan.Infrastructure, plan.ServiceGroup, plan.Training, plan.SharedRevenue)
_DOCUMENTS: Final = (
    *(Project, Service, *_OF_THE_PLAN, Account, OnChannels, CampaignAndHistory),
    *(plan.Awareness, Counted, plan.Plan),
)
_OWN_DOCUMENTS: Final[Mapping[str, type[Struct]]] = {
    "services": Service,
    "projects": Project,
    "campaigns": CampaignAndHistory,
    "partnerships": Partnership,
    "accounts": Account,
}
"""Model → the document whose labels its figures have first: the channels of a service are not those of a campaign."""
_RENAMED: Final = {"group_number": "group", "period_kind": "period"}
"""Figure → the field of the model's document that has another name."""
_FIELDS: Final[Mapping[str, Words]] = {
    "on": _B("التاريخ", "Date"),
    "launched_index": _B("قيد الإطلاق", "Entry of the launch"),
    "registered_index": _B("قيد التسجيل", "Entry of the registration"),
    "first_index": _B("أول قيد", "First entry"),
    "last_index": _B("آخر قيد", "Last entry"),
    "last_day": _B("آخر يوم", "Last day"),
    "first_period": _B("أول فترة", "First period"),
    "last_period": _B("آخر فترة", "Last period"),
    "closed_through": _B("مقفلة حتى", "Closed through"),
    "versions": _B("نسخ العقد", "Versions of the contract"),
    "latest_dated_on": _B("أحدث تاريخ", "Latest date"),
    "collected_halalas": _B("المحصّل", "Collected"),
    "closing_cumulative_halalas": _B("الرصيد التراكمي الختامي", "Closing cumulative revenue"),
    "top_ups_halalas": _B("تكملات الضمان", "Top-ups of the guarantee"),
    "outstanding_halalas": _B("التكملة القائمة", "Outstanding top-up"),
    "phase_names": _B("أسماء المراحل", "Names of the phases"),
    "cancelled_on": _B("تاريخ الإلغاء", "Cancelled on"),
    "rules_version": _B("نسخة القواعد", "Version of the rules"),
    "triggered_due_on": _B("الموعد عند الإطلاق", "Due when triggered"),
    "reason": _B("السبب", "Reason"),
    "days_added": _B("أيام عمل أُضيفت", "Working days added"),
    "waiting": _B("إيقافات واستئنافات لم تُعلن", "Pauses and resumptions to announce"),
    "triggered_index": _B("قيد إطلاق الحملة", "Entry of the trigger"),
    "completed_index": _B("قيد الإكمال", "Completed by entry"),
    "launched_recorded": _B("وقت تسجيل الإطلاق", "Launch recorded at"),
    "suspended_from": _B("موقوفة منذ", "Suspended from"),
    "days_suspended": _B("أيام عمل موقوفة", "Working days suspended"),
    "campaign_ids": _B("الحملات", "Campaigns"),
    "transfers_count": _B("عدد التحويلات", "Transfers"),
    **{field.name: field.label for document in _DOCUMENTS for field in fields(document)},
    **{f"aired.{channel.value}": plan.aired_name(channel) for channel in Channel},
}
_KNOWN: Final[Mapping[str, Words]] = {
    "index": _B("القيد السابق", "The entry before it"),
    "adopted_index": _B("قيد الاعتماد", "Entry of the adoption"),
    "revoked_index": _B("قيد السحب", "Entry of the revocation"),
    "waiting": _B("أحداث تنتظر التسجيل", "Events that wait for the registration"),
    "waiting_of_agency": _B("منها أحداث الجهة", "Of them the agency's"),
    "services": _B("خدمات العقد", "Services of the contract"),
    "terminated_on": _B("تاريخ الإنهاء", "Terminated on"),
    "remainder_halalas": _B("ما بقي من التحصيل", "What is left of the receipt"),
    "payable_halalas": label_of(Partnership, "payable_halalas"),
}
"""Name in the `known` of an anomaly → words, where no figure has this name or it means another one."""
CODES: Final[Mapping[str, Kind]] = {
    field.name: kind
    for document in (*_DOCUMENTS, Partnership)
    for field in fields(document)
    if (kind := kind_of(field.type)) is not None
}
"""Name of a figure → what its value, a text or a list, is the code of."""
_SUBJECTS: Final[Mapping[str, Kind]] = {
    "services": "service",
    "coverage": "service",
    "projects": "project",
    "activity": "agency",
}
"""Model → what its keys begin with the code of."""
Proofs = dict[str, list[str]]
"""The member with the files of the proofs; empty without them."""
_RECORD_AT: Final = [field.name for field in listed(Step)].index("record")
_OF_ALL_FIELDS: Final = ("log_index", "is_complete", "figures", "ok")


def title_of(model: str, key: str) -> tuple[Words | None, str]:
    """What a key is about, in words, and what is left of the key for the reader."""
    head, _, rest = key.partition("/") if model == "plan" else (model, "", key)
    if head == "training" and (name := _quota_name(rest)) is not None:
        return name, ""
    if model != "plan":
        return _MODELS.get(model), key
    if head == "services" and rest:
        return _B("خدمات المجموعة", "Services of group"), rest
    return _PLAN.get(head), rest


def _quota_name(key: str) -> Name | None:
    """`umm-al-qura/1426/usage` in words; None of what is no key of a quota."""
    try:
        calendar, year, track = key.split("/")
        return plan.training_name(plan.Calendar(calendar), int(year), plan.Track(track))
    except ValueError:
        return None


def subject_of(model: str, key: str) -> Code | None:
    """The service, project or agency that a key is about."""
    if model == "plan" and key.startswith("national_applications/"):
        return "project", key.partition("/")[2]
    return (_SUBJECTS[model], key.partition("/")[0]) if model in _SUBJECTS else None


def codes_in_figures(answer: Explanation) -> Iterator[Code]:
    """The codes among the figures of an explanation and in its key."""
    if (subject := subject_of(answer.model, answer.key)) is not None:
        yield subject
    changes = (change for step in answer.steps for change in step.changes.items())
    values = [*answer.figures.items(), *(answer.earlier.after if answer.earlier else {}).items()]
    for name, value in [*values, *((name, of) for name, one in changes for of in (one.before, one.after))]:
        if name in CODES and isinstance(value, str | list):
            yield from ((CODES[name], code) for code in ([value] if isinstance(value, str) else value))


def texts_in(value: Any) -> list[str | Name | Labelled]:
    """The texts of a text in two languages, and of a list or an object of texts; none where it has anything else."""
    if isinstance(value, str | Labelled):
        return [value]
    if isinstance(value, Mapping):
        if value.keys() == {"ar", "en"}:
            return [Name(**value)]
        value = list(value.values())
    parts = [texts_in(one) for one in value] if isinstance(value, list) else []
    return [text for part in parts for text in part] if all(parts) else []


def field_name(model: str, field: str) -> Words | None:
    """The name of a figure; None where it has none but its code."""
    if model == "statements" and field in FORMULAS:
        return LABELS[field]
    own = _own_field(model, field)
    return _FIELDS.get(field) if own is None else own.label


def claimed_name(type_name: str, model: str, member: str) -> Words | None:
    """The name of a member of an event: that of the figure, or what the catalogue says of it."""
    if (known := field_name(model, member)) is not None:
        return known
    try:
        meaning = meaning_of(short_type(type_name), member)
    except LookupError:
        return None
    return _B(meaning.ar.rstrip("."), meaning.en.rstrip("."))


def known_name(type_name: str, model: str, member: str) -> Words | None:
    """The name of what is known instead of what an event claimed."""
    return _KNOWN.get(member) or claimed_name(type_name, model, member)


def worded(model: str, field: str, value: Any) -> Any:
    """The value; of a state or a kind of the model's document its label, of several theirs."""
    if isinstance(value, list):
        return [worded(model, field, one) for one in value]
    own = _own_field(model, field)
    kind = None if own is None else next(iter(get_args(own.type)), own.type)
    labels = kind if isinstance(kind, type) and issubclass(kind, Labelled) else ()
    return next((label for label in labels if label.value == value), value)


def _own_field(model: str, field: str) -> Field | None:
    own = fields(_OWN_DOCUMENTS[model]) if model in _OWN_DOCUMENTS else ()
    return next((known for known in own if known.name == _RENAMED.get(field, field)), None)


def indexes_of(answer: Explanation) -> list[int]:
    """The entries of the kept steps, and those that waited for them, in log order."""
    return sorted({index for step in answer.steps for index in (step.index, *step.waited)})


def figure_document(found: Explained) -> ExplainedFigure:
    """One figure of a statement."""
    document, derivation = found.document, found.derivation
    assert document.field is not None
    assert derivation.terms is not None
    partnership_id, _, period = document.key.partition("/")
    return ExplainedFigure(
        partnership_id=partnership_id,
        period=period,
        terms=derivation.terms,
        transfers=derivation.transfers,
        shares=derivation.shares if document.field == "partner_base_halalas" else UNSET,
        **structs.asdict(document) | structs.asdict(derivation.figures[document.field]),
    )


def ledger_document(found: Explained, proofs: Proofs) -> Mapping[str, object]:
    """A figure or all figures of a statement, or a balance with its transfers."""
    document, derivation = found.document, found.derivation
    if derivation.terms is None:
        return structs.asdict(document) | proofs | {"transfers": derivation.transfers}
    if document.field is not None:
        return members(figure_document(found)) | proofs
    partnership_id, _, period = document.key.partition("/")
    own = {"partnership_id": partnership_id, "period": period, "terms": derivation.terms}
    fields = {"fields": list(derivation.figures.values())}
    return own | fields | {name: getattr(document, name) for name in _OF_ALL_FIELDS} | proofs


def view(found: Explained) -> list[RenderableType]:
    """How the figure follows, where a formula says it, the entries that made it, whether they add up, its transfers."""
    document, derivation = found.document, found.derivation
    if derivation.terms is not None and document.field is None:
        return [_formulas_table(document.key, derivation), verdict(document)]
    parts: list[RenderableType] = []
    if (derived := derivation.figures.get(document.field or "")) is not None:
        parts.append(_formula_table(document.key, derived, derivation))
    if document.field == "partner_base_halalas":
        parts += [sheet_table(share_sheet(share)) for share in derivation.shares]
    parts += _entries_view(document)
    if derivation.transfers:
        parts.append(grid(EXPLAINED_TRANSFERS, derivation.transfers))
    return parts


def _formula_table(key: str, figure: DerivedFigure, derivation: Derivation) -> Grid:
    """The formula in words, its amounts, and the result."""
    formula, terms = figure.formula, derivation.terms
    columns = [Column("البند", "Line", wraps=True), Column("القيمة", "Value", right=True)]
    rows: list[Row] = [[derivation.labels[name], amount_text(name, value)] for name, value in figure.amounts.items()]
    title = Bilingual("{} = {}", "{} = {}").format(figure.field, formula)
    if terms is not None:
        partnership_id, _, period = key.partition("/")
        title = Bilingual(
            "{name} للشراكة {partnership_id}، الفترة {period} = {formula}",
            "{name} of partnership {partnership_id}, period {period} = {formula}",
        ).format(name=derivation.labels[figure.field], partnership_id=partnership_id, period=period, formula=formula)
        sentence = Bilingual(
            "نسخة العقد السارية {} من الفترة {}، القيد", "Version {} in force, from period {}, log entry"
        )
        rows.append([sentence.format(terms.version, terms.effective_from), str(terms.index)])
    return Grid(title, columns, rows, [formula.numbers, f"= {amount_text(figure.field, figure.value)}"])


def _formulas_table(key: str, derivation: Derivation) -> Grid:
    """All fields of a statement, each with its formula and numbers."""
    columns = [
        Column("البند", "Field"),
        Column("المعادلة", "Formula", wraps=True, drop=1),
        Column("بالأرقام", "With numbers", wraps=True),
        Column("القيمة", "Value", right=True),
    ]
    rows: list[Row] = [
        [_figure_name("statements", name), row.formula, row.formula.numbers, amount_text(name, row.value)]
        for name, row in derivation.figures.items()
    ]
    own = key.replace("/", " ")
    return Grid(Bilingual("معادلات الكشف {}", "The formulas of statement {}").format(own), columns, rows)


def _entries_view(answer: Explanation) -> list[RenderableType]:
    """The figures, the steps, and whether they add up."""
    is_named = answer.field is None
    heads = [
        *columns(Step),
        *([Column("البند", "Figure")] if is_named else []),
        Column("قبل", "Before", right=True),
        Column("بعد", "After", right=True),
        Column("الفرق", "Change", drop=1, right=True),
    ]
    rows = [row for step in answer.steps for row in _rows(answer.model, step, is_named=is_named)]
    if all(step.record is None for step in answer.steps):  # nothing here is money
        del heads[_RECORD_AT]
        for row in rows:
            del row[_RECORD_AT]
    sentence = Bilingual("{} {} بعد {:,} من القيود", "{} {} after {:,} log entries")
    about, key = title_of(answer.model, answer.key)
    own = Bilingual(key, key)
    if (subject := subject_of(answer.model, answer.key)) is not None:
        rest, own = key.removeprefix(subject[1]), with_code(names(), *subject)
        own = Bilingual("{}{}", "{}{}").format(own, rest) if rest else own
    title = sentence.format(about or answer.model, own, answer.log_index)
    parts: list[RenderableType] = [figures_table(title, answer.model, answer.figures)]
    if answer.earlier is not None:
        title = Bilingual(
            "القيم بعد {:,} من القيود السابقة ({} إلى {})", "The values after {:,} earlier entries ({} to {})"
        ).format(answer.earlier.count, answer.earlier.first_index, answer.earlier.last_index)
        parts.append(figures_table(title, answer.model, answer.earlier.after))
    parts.append(Grid(Bilingual("القيود التي صنعتها", "The entries that made it"), heads, rows))
    parts.append(verdict(answer))
    return parts


def verdict(answer: Explanation) -> Text:
    """Whether the entries add up to the figures, and what a source that has not the whole log leaves open."""
    if not answer.ok:
        figures = "; ".join(f"{name} = {figure_text(name, answer.total[name])}" for name in answer.wrong)
        differs = Bilingual(
            "الجدول يخالف السجل. القيود تعطي: {}. شغّل yesser rebuild --compare.",
            "The table differs from the log. The entries give: {}. Run yesser rebuild --compare.",
        )
        return Text(localized(differs.format(figures), "\n"), style="bold red")
    adds_up = Bilingual("عدد القيود {:,}، وهي تعطي هذا الرقم.", "Entries: {:,}. They give this figure.")
    if not answer.is_complete:
        adds_up = Bilingual(
            "عدد القيود {:,}، وهي تعطي هذا الرقم. التصدير يثبت ما فيه، لا أنه كل ما في السجل.",
            "Entries: {:,}. They give this figure. An export proves what it holds, not that the log has no more.",
        )
    return Text(localized(adds_up.format(answer.steps_count), "\n"), style="green")


def figures_table(title: Bilingual, model: str, figures: Mapping[str, Any]) -> Grid:
    """Each figure and its value."""
    columns = [Column("البند", "Figure"), Column("القيمة", "Value", right=True)]
    rows = [
        [_figure_name(model, name), figure_text(name, worded(model, name, value))] for name, value in figures.items()
    ]
    return Grid(title, columns, rows)


def _figure_name(model: str, name: str) -> str:
    """The name, and on a line of its own the code, which is what commands take."""
    known = field_name(model, name)
    return name if known is None else f"{localized(known, chr(10))}\n{name}"


def models_table(models: Iterable[Model]) -> Grid:
    """The read models with their keys and figures."""
    columns = [
        Column("نموذج القراءة", "Read model"),
        Column("المفتاح", "Key", wraps=True),
        Column("البنود", "Figures", drop=1, wraps=True),
    ]
    rows = [[model.name, model.key_form, ", ".join(model.fields)] for model in models]
    return Grid(Bilingual("نماذج القراءة", "Read models"), columns, rows)


def figure_text(name: str, value: Any) -> str | None:
    """A value for people: riyals with two decimals, names beside codes, texts in the reader's language; else JSON."""
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return localized(YES if value else NO, "\n")
    if isinstance(value, int):
        return riyals_text(value) if name.endswith("_halalas") else f"{value:,}"
    if isinstance(value, Labelled):
        return localized(value, "\n")
    if name in CODES and isinstance(value, str | list):
        return "\n".join(named(CODES[name], code) for code in ([value] if isinstance(value, str) else value))
    if isinstance(value, str):
        return value
    texts = texts_in(value)
    return localized(joined(texts), "\n") if texts else to_json(value).decode()


def _rows(model: str, step: Step, *, is_named: bool) -> Iterable[list[str | None]]:
    """A row for each figure that changed, with its name if `is_named`."""
    own = cells(step)
    if step.waited:
        waited = Bilingual(" (ومعه {})", " (with {})").format(joined(step.waited))
        own[1] = f"{own[1]}{localized(waited, '')}"
    for name, change in step.changes.items():
        yield [
            *own,
            *([_figure_name(model, name)] if is_named else []),
            figure_text(name, worded(model, name, change.before)),
            figure_text(name, worded(model, name, change.after)),
            _change(name, change),
        ]
        own = [""] * len(own)


def _change(name: str, change: Change) -> str | None:
    if change.amount is None:
        return ""
    text = figure_text(name, change.amount)
    return text if change.amount < 0 else f"+{text}"
