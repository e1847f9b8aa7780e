"""Reports a wrong input file as a usage error, with exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from infra.errors import WrongInput


@contextmanager
def usage_errors() -> Iterator[None]:
    """Within the block, `WrongInput` becomes a usage error."""
    try:
        yield
    except WrongInput as error:
        raise click.UsageError(str(error)) from error
