"""Writes the committed files that are generated from the catalogue: `python -m events.generate`.

The JSON Schemas (`events/schemas/`), the AsyncAPI document (`events/asyncapi.json`) and the hashes of new examples.
With `--check` nothing is written; stale files are listed and the exit code is 1. With `--release NAME` the schemas are
also stored in `events/schemas/released/NAME/`, for the compatibility gate.
"""

from __future__ import annotations

import argparse
import sys
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson

from events.schema_tools.asyncapi_document import asyncapi_document, entry_schema
from events.schema_tools.schema_documents import Schema, schema_of
from events.types.catalogue import CATALOGUE

HERE: Final = Path(__file__).parent
EXAMPLE_HASHES: Final = "examples/v1/SHA256SUMS"


def schema_documents() -> dict[str, Schema]:
    """File name → schema of every type and of the entry."""
    return {**{f"{name}.v1.json": schema_of(name) for name in CATALOGUE}, "entry.json": entry_schema()}


def documents(project_version: str) -> dict[str, bytes]:
    """Path below `events/` → content of every generated file."""
    schemas = {f"schemas/{name}": _pretty(schema) for name, schema in schema_documents().items()}
    return {
        **schemas,
        "asyncapi.json": _pretty(asyncapi_document(project_version)),
        EXAMPLE_HASHES: example_hashes(HERE).encode(),
    }


def stale(root: Path, project_version: str) -> list[str]:
    """The generated files below `root` that are missing or out of date."""
    return [
        path
        for path, content in documents(project_version).items()
        if not (root / path).is_file() or (root / path).read_bytes() != content
    ]


def example_hashes(root: Path) -> str:
    """The hashes of the golden examples: those that are there are kept, those of new examples follow."""
    file = root / EXAMPLE_HASHES
    lines = file.read_text(encoding="utf-8").splitlines()
    listed = {line.partition("  ")[2] for line in lines}
    new = [path for path in sorted(file.parent.glob("*.json")) if path.name not in listed]
    return "\n".join([*lines, *(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in new)]) + "\n"


def types_without_example(root: Path) -> list[str]:
    """The types of the catalogue that have no golden example."""
    return [name for name in CATALOGUE if not (root / EXAMPLE_HASHES).with_name(f"{name}.json").is_file()]


def release(root: Path, name: str) -> None:
    """Store the current schemas as those of a release. An existing release is never overwritten."""
    folder = root / "schemas" / "released" / name
    folder.mkdir(parents=True)
    for file, schema in schema_documents().items():
        (folder / file).write_bytes(_pretty(schema))


def _pretty(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m events.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    parser.add_argument("--release", metavar="NAME", help="also store the schemas as those of a release")
    arguments = parser.parse_args()
    for name in types_without_example(HERE):
        sys.exit(f"{name} has no example: write events/examples/v1/{name}.json, as its sender writes it")
    stale_files = stale(HERE, version("yesser-events"))
    if arguments.check:
        sys.stderr.writelines(f"events/{path} is stale: run `python -m events.generate`\n" for path in stale_files)
        return 1 if stale_files else 0
    for path, content in documents(version("yesser-events")).items():
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_bytes(content)
    if arguments.release:
        release(HERE, arguments.release)
    sys.stdout.write(f"{len(stale_files)} file(s) written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
