"""Every package that the code imports belongs to the small install or to an extra, which the contract forbids it."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import entry_points

import grimp

from infra.cli import GROUP, WITHOUT_PLATFORM
from infra.extras import EXTRAS, remedy
from tests.paths import ROOT

ROOMS = ("events", "infra", "producers", "consumers")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SMALL = {
    *("anyio", "markdown_it"),  # dependencies of httpx and of rich
    *("cachetools", "click", "cryptography", "hijridate", "httpx", "msgspec", "nacl", "orjson"),
    *("pydantic", "pydantic_core", "pydantic_settings", "rich", "yaml"),
}
"""The modules of `dependencies`."""


def test_every_imported_package_is_of_the_small_install_or_of_an_extra() -> None:
    graph = grimp.build_graph(*ROOMS, include_external_packages=True)
    imported = {module.partition(".")[0] for module in graph.modules} - {*ROOMS, *sys.stdlib_module_names}
    unlisted = sorted(imported - SMALL - EXTRAS.keys())
    assert not unlisted, f"list {unlisted} in infra/extras.py, with the extra that brings them"


def test_each_command_of_the_small_install_is_in_the_contract_and_the_platform_has_all_packages() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    contract = next(row for row in contracts if "forbidden_modules" in row)
    covered = tuple(f"{room}." for room in contract["source_modules"])
    modules = {entry.module for entry in entry_points(group=GROUP) if entry.name in WITHOUT_PLATFORM}
    open_ones = [name for name in modules if not f"{name}.".startswith(covered)]
    assert not open_ones, f"add {open_ones} to the contract in pyproject.toml"
    extras = PROJECT["project"]["optional-dependencies"]
    assert set().union(*(extras[name] for name in EXTRAS.values())) <= set(extras["platform"])


def test_a_missing_package_is_named_with_its_extra() -> None:
    for name, extra in (("asyncpg.exceptions", "platform"), ("duckdb", "parquet")):
        text = remedy(ModuleNotFoundError(f"No module named {name!r}", name=name))
        assert text == f"This needs pip install 'yesser-events[{extra}]': the module {name} is not installed."
    assert remedy(ModuleNotFoundError("No module named 'jsno'", name="jsno")) is None, "a bug"
