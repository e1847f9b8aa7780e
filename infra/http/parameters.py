"""Unknown query parameters are errors, so that a mistyped one is never ignored, and what is said of one that is not
valid: in Arabic too, where the framework speaks English only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from events.faults.problems import Bilingual
from events.values.personal_data import holds_personal_data
from infra.http.problems import Problem

SHOWN_LENGTH_MAX: Final = 64
_LISTED_MAX: Final = 20
_NONE_HERE: Final = Bilingual("لا معاملات لهذا المسار.", "This route has no parameters.")


async def only_known_parameters(request: Request) -> None:
    """A dependency of every route. Raises `Problem` (400) with each unknown parameter and the known ones."""
    if not request.scope["query_string"]:
        return
    route: APIRoute = request.scope["route"]
    known = sorted(_names(route.dependant))
    unknown = [name for name in request.query_params if name not in known][:_LISTED_MAX]
    if unknown:
        detail = _known_here(known) if known else _NONE_HERE
        errors = [{"code": "unknown-parameter", "parameter": _shown(name), "detail": detail} for name in unknown]
        raise Problem("unknown-parameter", errors=errors)


def invalid_values(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `errors` for the parameters that the framework found not to be valid."""
    return [
        {
            "code": "invalid-value",
            # The parameter's name is the second part; a third names a type that the value could have had.
            "parameter": str(fault["loc"][:2][-1]),
            "detail": Bilingual(_arabic(fault["type"], fault.get("ctx", {})), str(fault["msg"])),
        }
        for fault in found
    ]


def _arabic(kind: str, context: Mapping[str, Any]) -> str:
    """What is wrong, by the type of pydantic's error."""
    match kind:
        case "missing":
            return "هذا المعامل مطلوب."
        case "int_parsing" | "int_from_float":
            return "اكتب عددًا صحيحًا."
        case "float_parsing" | "finite_number":
            return "اكتب عددًا."
        case "bool_parsing":
            return "اكتب true أو false."
        case "greater_than_equal":
            return f"اكتب عددًا لا يقل عن {context['ge']}."
        case "less_than_equal":
            return f"اكتب عددًا لا يزيد على {context['le']}."
        case "string_too_long":
            return f"عدد الأحرف {context['max_length']} على الأكثر."
        case "string_pattern_mismatch":
            return f"اكتب قيمة من الصيغة {context['pattern']}."
        case "literal_error" | "enum":
            return f"اكتب واحدة من القيم: {str(context['expected']).replace(' or ', ' أو ').replace(', ', '، ')}."
    return "القيمة غير صالحة: صححها وفق وثيقة OpenAPI."


def _known_here(known: Sequence[str]) -> Bilingual:
    return Bilingual(f"المعروف هنا: {'، '.join(known)}.", f"Known here: {', '.join(known)}.")


def _names(dependant: Dependant) -> set[str]:
    return {field.alias for field in dependant.query_params}.union(*map(_names, dependant.dependencies))


def _shown(name: str) -> str:
    return "(personal data)" if holds_personal_data(name) else name[:SHOWN_LENGTH_MAX]
