"""Which Pythons are supported: the same in each file that says it, and tested where they are installed."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

from infra.setup.prerequisites import PYTHON_MIN
from tests.paths import ROOT


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_file_that_names_the_supported_pythons_names_the_same() -> None:
    settings = tomllib.loads(text_of("pyproject.toml"))
    supported = [name.rpartition(" ")[2] for name in settings["project"]["classifiers"]]
    oldest = supported[0]
    assert re.findall(r"^PYTHONS := (.*)$", text_of("Makefile"), re.MULTILINE) == [" ".join(reversed(supported))]
    assert f"Python {oldest} to {supported[-1]} (" in text_of("README.md")
    assert settings["project"]["requires-python"] == f">={oldest}"
    assert settings["tool"]["mypy"]["python_version"] == oldest == ".".join(map(str, PYTHON_MIN))
    assert settings["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    (of_the_image,) = re.findall(r"^FROM python:([\d.]+)-slim$", text_of("Containerfile"), re.MULTILINE)
    assert of_the_image in supported


def test_each_other_python_that_runs_is_tested_and_those_that_do_not_are_named(tmp_path: Path) -> None:
    of_the_venv = tmp_path / "venv" / "bin"
    of_the_venv.mkdir(parents=True)
    (tmp_path / "venv" / ".installed").touch()
    for python, exit_code in {"3.14": 0, "3.13": 127, "3.12": 127, "venv/bin/python3.11": 0}.items():
        path = tmp_path / (python if "/" in python else f"python{python}")
        path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
        path.chmod(0o755)

    def test_pythons(make: str) -> subprocess.CompletedProcess[str]:
        venv = f"VENV={tmp_path / 'venv'}"
        command = ["make", "test-pythons", venv, f"MAKE={make}", "-o", str(tmp_path / "venv" / ".installed")]
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    passed = test_pythons("echo")
    assert passed.stdout.splitlines() == [
        "Python 3.14",
        "--no-print-directory check VENV=build/python3.14 PYTHON=python3.14",
        "make test-pythons: tested 3.14; not on the PATH: 3.13 3.12.",
    ]
    assert passed.returncode == 0
    assert test_pythons("false").returncode != 0
