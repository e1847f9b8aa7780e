"""What `pyproject.toml` cannot say: a wheel has the guides of `docs/`, which the gateway shows at `/docs`."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

GUIDES = Path(__file__).parent / "docs"


class BuildWithGuides(build_py):
    """Copies each guide that is there in both languages."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # the guides are read from the clone
        target = Path(self.build_lib, "producers", "docs_pages", "guides")
        (target / "ar").mkdir(parents=True, exist_ok=True)
        for arabic in (GUIDES / "ar").glob("*.md"):
            shutil.copy(arabic, target / "ar")
            shutil.copy(GUIDES / arabic.name, target)


setup(cmdclass={"build_py": BuildWithGuides})
