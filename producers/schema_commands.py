"""`yesser schema diff OLD NEW`: whether the new schema accepts every event that the old one accepts, and why not.

Exit codes: 0 compatible · 1 not compatible.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import orjson
from msgspec import Struct

from events.errors import YesserError
from events.schema_tools.compatibility import Schema, incompatibilities
from events.schema_tools.schema_changes import changes
from events.values.bilingual import Bilingual
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result

_YES: Final = Bilingual(
    "متوافق: كل حدث كان المخطط القديم يقبله يقبله الجديد.",
    "Compatible: the new schema accepts every event that the old one accepts.",
)
_NO: Final = Bilingual(
    "غير متوافق: قد يرفض المخطط الجديد أحداثًا كان القديم يقبلها.",
    "Not compatible: the new schema may refuse events that the old one accepts.",
)


class NotASchema(YesserError):
    """The file is not a JSON Schema: give a schema, or a folder of schemas."""


@click.group()
def schema() -> None:
    """Check whether a schema change is compatible."""


@schema.command("diff")
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
@json_option
@click.pass_context
def diff(context: click.Context, old: Path, new: Path, as_json: bool) -> None:
    """Compare two schemas, or two folders of schemas by file name, and list the changes that could refuse an old event.

    Exit code 1: not compatible.
    """
    if old.is_dir() != new.is_dir():
        raise click.UsageError("give two files or two folders")
    released, current = (read_schemas(path, old.name) for path in (old, new))
    document = compared(released, current)
    print_result(document, as_json, lambda: _print(document))
    context.exit(ExitCode.OK if document.compatible else ExitCode.ANSWER_IS_NO)


class Comparison(Struct):
    """The answer: the `reasons` why it is not compatible, and every change."""

    compatible: bool
    reasons: list[str]
    changes: list[str]


def compared(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> Comparison:
    """Two lists of schemas, by file name."""
    reasons = incompatibilities(released, current)
    found = [f"{name}: a new type, which no old event has" for name in current if name not in released]
    for name in released:
        if name in current:
            found += [f"{name} {change}" for change in changes(released[name], current[name])]
    return Comparison(not reasons, reasons, found)


def read_schemas(path: Path, name: str) -> dict[str, Schema]:
    """File name → schema; a single file is listed as `name`, so that two files compare whatever their names."""
    files = {file.name: file for file in sorted(path.glob("*.json"))} if path.is_dir() else {name: path}
    if not files:
        raise NotASchema(f"{path}: there is no .json file in this folder")
    schemas: dict[str, Schema] = {}
    for key, file in files.items():
        try:
            document = orjson.loads(file.read_bytes())
        except orjson.JSONDecodeError as error:
            raise NotASchema(f"{file}: this is not JSON ({error})") from error
        if not isinstance(document, dict) or not ({"type", "properties", "$ref", "anyOf", "oneOf"} & set(document)):
            raise NotASchema(f"{file}: this is not the JSON Schema of an event")
        schemas[key] = document
    return schemas


def _print(document: Comparison) -> None:
    print_localized(_YES if document.compatible else _NO)
    for reason in document.reasons:
        click.echo(f"  ✗ {reason}")
    if document.changes:
        print_localized(Bilingual("التغييرات:", "Changes:"))
    for change in document.changes:
        click.echo(f"  · {change}")
    if not document.changes:
        print_localized(Bilingual("لم يتغيّر حقل ولا قاعدة.", "No field and no rule changed."))
