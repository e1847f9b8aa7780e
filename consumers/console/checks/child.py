"""The process of a check: `python -m consumers.console.checks.child KIND`.

It prints a JSON line with `done` and `total` whenever it has come further, and at the end one with `result`. The read
models are folded again into tables of a transaction that is rolled back, so the reader's rights suffice.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import asdict

from consumers.documents.document import document_of
from consumers.documents.log.commitments import CheckResult, Claim, ComparedCommitment, ComparedModel
from consumers.models.registry import CONSUMERS
from consumers.proof.audit.pinned_checkpoint import require_rotations
from consumers.proof.commitments.check import Hashes, acknowledged_in_log, hash_committed, newest_in_log, verdicts
from consumers.proof.commitments.claims import read_model_name
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import Progress, Scratch, replay
from consumers.replay.rebuild.comparison import compare
from consumers.replay.rebuild.rebuild import position_of
from events.errors import Tampered, YesserError
from infra.json_documents import to_json
from infra.log.ports.postgres_port import PostgresPort
from infra.log.ports.tree import require_tree
from infra.log.reader import log_size
from infra.postgres.connection import Connection, connected
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings

Update = Callable[[int, int], None]
_SAY_EVERY_S: Final = 0.5
_ENTRY: Final = re.compile(r"\bentry ([0-9]+)\b")


async def verify_log(settings: Settings, update: Update) -> CheckResult:
    """Compute the tree from every entry and compare it with the newest signed checkpoint."""
    async with connected(settings, "check", batch=True) as connection:
        port = PostgresPort(connection, read_verifier(settings, None))
        checkpoint = await port.checkpoint()
        await require_rotations(port, await port.keys(), checkpoint)
        await require_tree(port, checkpoint.size, checkpoint.root, update)
    return CheckResult(ok=True, size=checkpoint.size, root=checkpoint.root.hex())


async def compare_models(settings: Settings, update: Update) -> CheckResult:
    """Fold the log again: compare its rows with the live ones, and their hashes with the newest commitments."""
    found: list[ComparedModel] = []
    hashes: Hashes = {}
    done = 0
    async with connected(settings, "check", batch=True) as connection:
        claims = await newest_in_log(connection)
        total = len(CONSUMERS) * await log_size(connection)  # each consumer folds the log

        def advance(entries: int) -> None:
            nonlocal done
            done += entries
            update(done, max(done, total))

        for consumer in CONSUMERS.values():
            found += await _compared(settings, connection, consumer, claims, hashes, advance)
        checked = await verdicts(connection, claims, hashes, await acknowledged_in_log(connection))
    committed = tuple(document_of(ComparedCommitment, asdict(verdict)) for verdict in checked)
    ok = not any(row.differing for row in found) and all(verdict.ok for verdict in checked)
    return CheckResult(ok=ok, models=tuple(found), commitments=committed)


CHECKS: Final[Mapping[str, Callable[[Settings, Update], Coroutine[Any, Any, CheckResult]]]] = {
    "log": verify_log,
    "models": compare_models,
}


async def _compared(
    settings: Settings,
    connection: Connection,
    consumer: Consumer,
    claims: Sequence[Claim],
    hashes: Hashes,
    progress: Progress,
) -> list[ComparedModel]:
    """Live and folded rows of a consumer in one snapshot; the hashes at the indexes of its commitments are added."""
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        position = await position_of(connection, consumer)
        scratch = Scratch(connection, consumer)
        await scratch.create()
        reached = [claim for claim in claims if claim.log_index <= position]
        hashes |= await hash_committed(settings, scratch, reached, progress)
        await replay(settings, [scratch], position, progress)
        found = []
        for table in consumer.tables:
            name = read_model_name(consumer, table.name)
            differences = await compare(connection, table, consumer.schema, scratch.schema)
            first = differences.first[0].index if differences.first else None
            found.append(ComparedModel(name=name, differing=differences.count, first_index=first, log_index=position))
        return found
    finally:
        await transaction.rollback()


def main(kind: str) -> None:
    """Run a check and print what it found. Tampering is a result, and so is an error that says its remedy."""
    said_s = 0.0

    def update(done: int, total: int) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= _SAY_EVERY_S:
            said_s = time.monotonic()
            _say({"done": done, "total": total})

    try:
        result = asyncio.run(CHECKS[kind](Settings().acting_as("reader"), update))
    except Tampered as error:
        entry = _ENTRY.search(str(error))
        result = CheckResult(ok=False, reason=str(error), index=int(entry[1]) if entry else None)
    except YesserError as error:
        result = CheckResult(ok=None, reason=str(error))
    _say({"result": result})


def _say(document: Mapping[str, object]) -> None:
    sys.stdout.buffer.write(to_json(document) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
