"""Writes `consumers/replay/fold/versions.json`, the versions of the folds: `python -m consumers.models.fold_versions`.

A fold's hash covers its tables (`sql_files`) and the syntax trees of its rules: every module of `consumers` and
`events` that its `consumer.py` imports, directly or through others. Comments, docstrings and layout do not count, and
neither do modules that move and store rows (`infra`, `NOT_RULES`) and how rows are found (`*.indexes.sql`). The YAML
files beside a module are rules too. Where the hash has changed, the number grows by one.

With `--check` nothing is written, and the exit code is 1 if the file is stale.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Final

import yaml

from consumers.models.registry import CONSUMERS
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.version import FILE, UNNUMBERED, FoldVersion, versions

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "consumers" / "replay" / "fold" / FILE
RULES: Final = ("consumers.", "events.")
"""The packages whose modules decide rows."""
NOT_RULES: Final = frozenset({"consumers.replay.fold.consumer", "consumers.replay.fold.version", "events.errors"})
"""What a consumer is, how a batch is applied, and which errors there are."""


def current(listed: Mapping[str, FoldVersion]) -> dict[str, FoldVersion]:
    """Consumer → its version by today's sources, numbered on from `listed`."""
    versions_now = {}
    for name, consumer in sorted(CONSUMERS.items()):
        before, now = listed.get(name, UNNUMBERED), fold_sha256(consumer)
        versions_now[name] = before if now == before.sha256 else FoldVersion(before.number + 1, now)
    return versions_now


def fold_sha256(consumer: Consumer) -> str:
    """The hash of a consumer's rules and tables."""
    sources = modules(consumer.fold.__module__)
    rules = [[name, tree(path.read_text(encoding="utf-8"))] for name, path in sources]
    files = [[path.name, content(path)] for path in rule_files(path for _, path in sources)]
    tables = [statements(text) for text in consumer.table_sql()]
    # A consumer without rule files keeps the hash that it had before there were any.
    return sha256(json.dumps([rules, tables, files] if files else [rules, tables]).encode()).hexdigest()


def rule_files(modules: Iterable[Path]) -> list[Path]:
    """The YAML files beside these modules."""
    return sorted(file for folder in {path.parent for path in modules} for file in folder.glob("*.yaml"))


def content(file: Path) -> object:
    """What a YAML file says, without comments and layout."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def modules(start: str) -> list[tuple[str, Path]]:
    """`start` and the modules of `RULES` that it imports, directly or through others, by name."""
    paths: dict[str, Path] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name.startswith(RULES) and name not in NOT_RULES | paths.keys() and path.is_file():
            paths[name] = path
            waiting += _imports(ast.parse(path.read_text(encoding="utf-8")))
    return sorted(paths.items())


def _imports(module: ast.Module) -> Iterator[str]:
    """What a module imports, each as a name of a module, though it may be one of a function."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tree(source: str) -> object:
    """The syntax tree of a module as JSON, the same for every version of Python, without docstrings."""
    return _plain(ast.parse(source))


def _plain(node: object) -> object:
    """Fields without a value are left out: versions of Python differ in which ones they have."""
    if isinstance(node, ast.AST):
        fields = {
            name: _plain(value) for name, value in ast.iter_fields(node) if value not in (None, []) and name != "kind"
        }
        return [type(node).__name__, fields]
    if isinstance(node, list):
        return [_plain(part) for part in node if not _is_lone_string(part)]
    return ascii(node)  # not `repr`: which characters it escapes differs between versions of Python


def _is_lone_string(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def statements(sql: str) -> str:
    """SQL without comments and layout."""
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


def text_of(found: Mapping[str, FoldVersion]) -> str:
    return json.dumps({name: asdict(version) for name, version in found.items()}, indent=2) + "\n"


def stale(found: Mapping[str, FoldVersion], listed: Mapping[str, FoldVersion]) -> Iterable[str]:
    """The consumers whose version is not the listed one."""
    return [name for name in sorted(found.keys() | listed.keys()) if found.get(name) != listed.get(name)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m consumers.models.fold_versions", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is stale")
    listed = versions()
    versions_now = current(listed)
    changed = ", ".join(stale(versions_now, listed))
    if parser.parse_args().check:
        if changed:
            sys.stderr.write(
                f"the rules or tables of {changed} have changed: run `python -m consumers.models.fold_versions`; each"
                " running system then rebuilds these rows (docs/upgrade.md)\n"
            )
        return 1 if changed else 0
    PAGE.write_text(text_of(versions_now), encoding="utf-8")
    sys.stdout.write(f"new versions: {changed or 'none'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
