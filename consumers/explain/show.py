"""An explained figure as one JSON document, and as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from consumers.explain.explain import Answer
from consumers.explain.models import Model
from consumers.explain.trace import Step
from events.values.money import riyals_text
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized
from infra.json_documents import to_json


def answer_document(answer: Answer) -> dict[str, Any]:
    """`ok`: the steps add up to the figures. Of steps that are not kept, `earlier` has the values after the last."""
    trace, request = answer.trace, answer.request
    earlier = trace.earlier
    return {
        "model": request.model,
        "key": request.key,
        "field": request.field,
        "log_index": answer.reach.log_index,
        "is_complete": answer.reach.is_complete,
        "figures": dict(answer.figures),
        "start": trace.start,
        "total": trace.end,
        "ok": answer.ok,
        "steps_count": trace.steps_count,
        "earlier": None
        if not earlier.count
        else {
            "count": earlier.count,
            "first_index": earlier.first_index,
            "last_index": earlier.last_index,
            "after": earlier.after,
        },
        "steps": [_step(step) for step in trace.steps],
    }


def indexes_of(answer: Answer) -> list[int]:
    """The entries of the kept steps, and those that waited for them, in log order."""
    return sorted({index for step in answer.trace.steps for index in (step.index, *step.waited)})


def _step(step: Step) -> dict[str, Any]:
    return {
        "index": step.index,
        "recordedtime": step.recorded,
        "type": step.type,
        "agency": step.agency,
        "subject": step.subject,
        "id": step.id,
        "data": step.data,
        "waited": list(step.waited),
        "changes": {name: {"before": before, "after": after} for name, (before, after) in step.changes.items()},
    }


def answer_view(answer: Answer) -> list[RenderableType]:
    """The figures, the steps, and whether they add up."""
    trace, request = answer.trace, answer.request
    columns = [
        Column("رقم القيد", "Log entry", right=True),
        Column("النوع", "Type", drop=2),
        Column("الجهة", "Agency", drop=3),
        Column("وقت التسجيل", "Recorded", drop=4),
        *([Column("البند", "Figure")] if request.field is None else []),
        Column("قبل", "Before", right=True),
        Column("بعد", "After", right=True),
        Column("الفرق", "Change", drop=1, right=True),
    ]
    rows = [row for step in trace.steps for row in _rows(step, named=request.field is None)]
    title = localized(
        f"{request.model} {request.key} بعد {answer.reach.log_index:,} من القيود",
        f"{request.model} {request.key} after {answer.reach.log_index:,} log entries",
    )
    parts: list[RenderableType] = [figures_table(title, answer.figures)]
    if trace.earlier.count:
        parts.append(_earlier(answer))
    parts.append(Grid(localized("القيود التي صنعتها", "The entries that made it"), columns, rows))
    parts.append(verdict(answer))
    return parts


def verdict(answer: Answer) -> Text:
    """Whether the entries add up to the figures, and what a source that has not the whole log leaves open."""
    return Text(_verdict(answer), style="green" if answer.ok else "bold red")


def _difference(answer: Answer) -> str:
    """What the entries give where the table differs from them."""
    wrong = [name for name, value in answer.figures.items() if value != answer.trace.end[name]]
    said = "; ".join(f"{name} = {figure_text(name, answer.trace.end[name])}" for name in wrong)
    return localized(
        f"الجدول يخالف السجل. القيود تعطي: {said}. شغّل ‎yesser rebuild --compare‎.",
        f"The table differs from the log. The entries give: {said}. Run yesser rebuild --compare.",
        "\n",
    )


def figures_table(title: str, figures: Mapping[str, Any]) -> Grid:
    """Each figure and its value."""
    columns = [Column("البند", "Figure"), Column("القيمة", "Value", right=True)]
    return Grid(title, columns, [[name, figure_text(name, value)] for name, value in figures.items()])


def models_table(models: Iterable[Model]) -> Grid:
    """The read models with their keys and figures."""
    columns = [
        Column("نموذج القراءة", "Read model"),
        Column("المفتاح", "Key", wraps=True),
        Column("البنود", "Figures", drop=1, wraps=True),
    ]
    rows = [[model.name, model.key_form, ", ".join(model.fields)] for model in models]
    return Grid(localized("نماذج القراءة", "Read models"), columns, rows)


def figure_text(name: str, value: Any) -> str | None:
    """A value for people: riyals with two decimals, objects as JSON."""
    if value is None:
        return None
    if isinstance(value, bool):
        return localized("نعم", "yes", "\n") if value else localized("لا", "no", "\n")
    if isinstance(value, int):
        return riyals_text(value) if name.endswith("_halalas") else f"{value:,}"
    return value if isinstance(value, str) else to_json(value).decode()


def _rows(step: Step, *, named: bool) -> Iterable[list[str | None]]:
    """A row for each figure that changed, with its name if `named`."""
    own = [str(step.index), step.type, step.agency, step.recorded]
    if step.waited:
        own[1] += localized(
            f" (ومعه {', '.join(map(str, step.waited))})", f" (with {', '.join(map(str, step.waited))})", ""
        )
    for name, (before, after) in step.changes.items():
        yield [
            *own,
            *([name] if named else []),
            figure_text(name, before),
            figure_text(name, after),
            _change(name, before, after),
        ]
        own = ["", "", "", ""]


def _change(name: str, before: Any, after: Any) -> str | None:
    """By how much a number changed; nothing for what is set for the first time, or is no number."""
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in (before, after)):
        return ""
    text = figure_text(name, after - before)
    return text if after < before else f"+{text}"


def _earlier(answer: Answer) -> Grid:
    earlier = answer.trace.earlier
    title = localized(
        f"القيم بعد {earlier.count:,} من القيود السابقة ({earlier.first_index} إلى {earlier.last_index})",
        f"The values after {earlier.count:,} earlier entries ({earlier.first_index} to {earlier.last_index})",
    )
    return figures_table(title, earlier.after)


def _verdict(answer: Answer) -> str:
    count = answer.trace.steps_count
    if not answer.ok:
        return _difference(answer)
    added = localized(f"عدد القيود {count:,}، وهي تعطي هذا الرقم.", f"Entries: {count:,}. They give this figure.", "\n")
    if answer.reach.is_complete:
        return added
    return localized(
        f"{added} التصدير يثبت ما فيه، لا أنه كل ما في السجل.",
        f"{added} An export proves what it holds, not that the log has no more.",
        "\n",
    )
