"""Unknown query parameters are errors, so that a mistyped one is never ignored, and what is said of one that is not
valid: in Arabic too, where the framework speaks English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from events.values.bilingual import Bilingual, joined
from events.values.personal_data import holds_personal_data
from infra.http.problems import Problem

SHOWN_LENGTH_MAX: Final = 64
_LISTED_MAX: Final = 20
_ARABIC: Final[Mapping[str, str]] = {
    "missing": "هذا المعامل مطلوب.",
    "int_parsing": "اكتب عددًا صحيحًا.",
    "int_from_float": "اكتب عددًا صحيحًا.",
    "float_parsing": "اكتب عددًا.",
    "finite_number": "اكتب عددًا.",
    "bool_parsing": "اكتب true أو false.",
    "greater_than_equal": "اكتب عددًا لا يقل عن {ge}.",
    "less_than_equal": "اكتب عددًا لا يزيد على {le}.",
    "string_too_long": "عدد الأحرف {max_length} على الأكثر.",
    "string_pattern_mismatch": "اكتب قيمة من الصيغة {pattern}.",
    "literal_error": "اكتب واحدة من القيم: {allowed}.",
    "enum": "اكتب واحدة من القيم: {allowed}.",
}
"""By the type of pydantic's error; its English is pydantic's own."""
_NONE_HERE: Final = Bilingual("لا معاملات لهذا المسار.", "This route has no parameters.")


async def only_known_parameters(request: Request) -> None:
    """A dependency of every route. Raises `Problem` (400) with each unknown parameter and the known ones."""
    if request.scope["query_string"]:
        route: APIRoute = request.scope["route"]
        require_known(request.query_params, sorted(_names(route.dependant)))


def require_known(given: Iterable[str], known: Sequence[str]) -> None:
    """Raise `Problem` (400) with each name that is none of the known ones."""
    unknown = [name for name in given if name not in known][:_LISTED_MAX]
    if unknown:
        detail = _known_here(known) if known else _NONE_HERE
        errors = [{"code": "unknown-parameter", "parameter": _shown(name), "detail": detail} for name in unknown]
        raise Problem("unknown-parameter", errors=errors)


def bad_parameter(name: str, detail: Bilingual | str, code: str = "invalid-value") -> Problem:
    """The problem (422) of one parameter, with what to write instead."""
    return Problem("bad-parameter", errors=[{"code": code, "parameter": name, "detail": detail}])


def invalid_values(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `errors` for the parameters that the framework found not to be valid."""
    return [
        {
            "code": "invalid-value",
            # The parameter's name is the second part; a third names a type that the value could have had.
            "parameter": str(fault["loc"][:2][-1]),
            "detail": _detail(fault),
        }
        for fault in found
    ]


def _detail(fault: Mapping[str, Any]) -> Bilingual:
    context = fault.get("ctx", {})
    allowed = joined(re.findall("'([^']*)'", str(context.get("expected", ""))))
    sentence = Bilingual(_ARABIC.get(fault["type"], "القيمة غير صالحة: صححها وفق وثيقة OpenAPI."), "{message}")
    return sentence.format(message=fault["msg"], allowed=allowed, **context)


def _known_here(known: Sequence[str]) -> Bilingual:
    return Bilingual("المعروف هنا: {}.", "Known here: {}.").format(joined(known))


def _names(dependant: Dependant) -> set[str]:
    return {field.alias for field in dependant.query_params}.union(*map(_names, dependant.dependencies))


def _shown(name: str) -> str:
    return "(personal data)" if holds_personal_data(name) else name[:SHOWN_LENGTH_MAX]
