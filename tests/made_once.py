"""What a process of the product makes once, and one of tests would make again for each application that it starts.

A console has ninety routes and some fifty templates. What FastAPI finds out about a route's function, and what Jinja
compiles of a template, is the same in every application: a quarter of the processor time of a test of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import FunctionType
from typing import Any, Final

import fastapi.dependencies.utils
import fastapi.routing
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

import infra.http.templates

_LISTS: Final = ("path_params", "query_params", "header_params", "cookie_params", "body_params", "dependencies")


@contextmanager
def made_once() -> Iterator[None]:
    """Share them for the length of a `with`."""
    described = _Described()
    with pytest.MonkeyPatch.context() as patches:
        for module in (fastapi.dependencies.utils, fastapi.routing):
            patches.setattr(module, "get_dependant", described)
        patches.setattr(infra.http.templates, "Environment", partial(Environment, bytecode_cache=_Compiled()))
        yield


class _Described:
    """What functions take, by path and function. One that is made again for each application is described each time."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Dependant] = {}

    def __call__(self, *, path: str, call: Callable[..., Any], **given: Any) -> Dependant:
        if not isinstance(call, FunctionType) or "<locals>" in call.__qualname__ or given.get("concurrency"):
            return get_dependant(path=path, call=call, **given)
        key = (path, call, *((name, tuple(v) if isinstance(v, list) else v) for name, v in sorted(given.items())))
        if key not in self._known:
            self._known[key] = get_dependant(path=path, call=call, **given)
        known = self._known[key]
        return replace(known, **{name: [*getattr(known, name)] for name in _LISTS})


class _Compiled(BytecodeCache):
    """Compiled templates, by name and text."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code
