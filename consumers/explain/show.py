"""An explained figure as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from consumers.documents.document import NO, YES
from consumers.documents.log.explanations import Change, EarlierSteps, Explanation, Step
from consumers.documents.tables import cells, columns
from consumers.explain.models import Model
from events.values.bilingual import Bilingual, joined
from events.values.money import riyals_text
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized
from infra.json_documents import to_json


def indexes_of(answer: Explanation) -> list[int]:
    """The entries of the kept steps, and those that waited for them, in log order."""
    return sorted({index for step in answer.steps for index in (step.index, *step.waited)})


def answer_view(answer: Explanation) -> list[RenderableType]:
    """The figures, the steps, and whether they add up."""
    is_named = answer.field is None
    heads = [
        *columns(Step),
        *([Column("البند", "Figure")] if is_named else []),
        Column("قبل", "Before", right=True),
        Column("بعد", "After", right=True),
        Column("الفرق", "Change", drop=1, right=True),
    ]
    rows = [row for step in answer.steps for row in _rows(step, is_named=is_named)]
    sentence = Bilingual("{} {} بعد {:,} من القيود", "{} {} after {:,} log entries")
    title = sentence.format(answer.model, answer.key, answer.log_index)
    parts: list[RenderableType] = [figures_table(title, answer.figures)]
    if answer.earlier is not None:
        parts.append(_earlier(answer.earlier))
    parts.append(Grid(Bilingual("القيود التي صنعتها", "The entries that made it"), heads, rows))
    parts.append(verdict(answer))
    return parts


def verdict(answer: Explanation) -> Text:
    """Whether the entries add up to the figures, and what a source that has not the whole log leaves open."""
    if not answer.ok:
        figures = "; ".join(f"{name} = {figure_text(name, answer.total[name])}" for name in answer.wrong)
        differs = Bilingual(
            "الجدول يخالف السجل. القيود تعطي: {}. شغّل ‎yesser rebuild --compare‎.",
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


def figures_table(title: Bilingual, figures: Mapping[str, Any]) -> Grid:
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
    return Grid(Bilingual("نماذج القراءة", "Read models"), columns, rows)


def figure_text(name: str, value: Any) -> str | None:
    """A value for people: riyals with two decimals, objects as JSON."""
    if value is None:
        return None
    if isinstance(value, bool):
        return localized(YES if value else NO, "\n")
    if isinstance(value, int):
        return riyals_text(value) if name.endswith("_halalas") else f"{value:,}"
    return value if isinstance(value, str) else to_json(value).decode()


def _rows(step: Step, *, is_named: bool) -> Iterable[list[str | None]]:
    """A row for each figure that changed, with its name if `is_named`."""
    own = cells(step)
    if step.waited:
        waited = Bilingual(" (ومعه {})", " (with {})").format(joined(step.waited))
        own[1] = f"{own[1]}{localized(waited, '')}"
    for name, change in step.changes.items():
        yield [
            *own,
            *([name] if is_named else []),
            figure_text(name, change.before),
            figure_text(name, change.after),
            _change(name, change),
        ]
        own = [""] * len(own)


def _change(name: str, change: Change) -> str | None:
    if change.amount is None:
        return ""
    text = figure_text(name, change.amount)
    return text if change.amount < 0 else f"+{text}"


def _earlier(earlier: EarlierSteps) -> Grid:
    title = Bilingual(
        "القيم بعد {:,} من القيود السابقة ({} إلى {})", "The values after {:,} earlier entries ({} to {})"
    )
    return figures_table(title.format(earlier.count, earlier.first_index, earlier.last_index), earlier.after)
