"""What the registrar's metrics say of its signatures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from consumers.registrar.signer import Signer
from infra.log.signed_note import Checkpoint
from infra.observability.telemetry import REGISTRY
from infra.settings import Settings


class Journal:
    """A journal whose database takes everything."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.connection = self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    async def hold(self) -> None: ...

    async def execute(self, *_: object) -> None: ...


async def test_the_checkpoint_of_a_take_over_is_exposed_before_the_first_signature(tmp_path: Path) -> None:
    signer = Signer(cast(Any, Journal()), cast(Any, None), Settings(home=tmp_path), cast(Any, None), cast(Any, None))
    await signer._publish(Checkpoint("log.example", 700, bytes(32), "the note"), "adopt_checkpoint")
    assert REGISTRY.get_sample_value("yesser_checkpoint_size") == 700
