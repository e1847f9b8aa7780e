"""A virtual environment with this project's wheel, made without a network.

The project is built and installed as pip does it for a user. The packages that it depends on, directly or through
others, are copied from the running environment, and no other package is there; with the extra `platform`, all packages
of the running environment are seen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from infra.deployment_files import release
from tests.paths import ROOT

PROJECT = "yesser-events"
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "docs", "events", "infra", "producers", "consumers")


@dataclass(frozen=True, slots=True)
class SmallInstall:
    """The environment, its packages, and the home of the person who uses it."""

    folder: Path
    packages: frozenset[str]
    home: Path

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, outside of the repository."""
        self.home.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONWARNINGS": "error", **variables}
        program, *arguments = command
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            env=environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


def build(folder: Path, *, platform: bool = False) -> SmallInstall:
    """Make the environment in a folder, with the extra `platform` if asked."""
    sources, environment = folder / "sources", folder / "environment"
    sources.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, sources)
    _run(sys.executable, "-m", "venv", "--without-pip", environment)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, sources)
    (wheel,) = folder.glob(f"yesser_events-{release()}-*.whl")
    _run(*pip, "--python", environment / "bin" / "python", "install", "--no-deps", "--no-compile", "--no-index", wheel)
    (site_packages,) = environment.glob("lib/python*/site-packages")
    if platform:
        (site_packages / "platform.pth").write_text(sysconfig.get_path("purelib"))
        return SmallInstall(environment, frozenset(), folder / "home")
    packages = dependencies(distribution(PROJECT))
    for package in packages.values():
        _copy(package, site_packages)
    return SmallInstall(environment, frozenset(packages), folder / "home")


def dependencies(project: Distribution) -> dict[str, Distribution]:
    """Every package that is installed with this one when no extra is asked for, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(project, frozenset[str]())]
    while waiting:
        package, extras = waiting.pop()
        for line in package.requires or ():
            needed = Requirement(line)
            environments = [{"extra": extra} for extra in extras or ("",)]
            if needed.marker is not None and not any(map(needed.marker.evaluate, environments)):
                continue
            name = needed.name.lower()
            if name not in found:
                found[name] = distribution(name)
                waiting.append((found[name], frozenset(needed.extras)))
    return found


def _copy(package: Distribution, site_packages: Path) -> None:
    """Copy a package's files, without its programs; what is compiled already need not be compiled again."""
    for file in package.files or ():
        source = Path(str(package.locate_file(file)))
        if ".." not in file.parts and (file.suffix != ".pyc" or source.exists()):
            target = site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
