"""The simulation finds defects: each of these is the code without one of its safeguards. With it, nothing is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from consumers.fold.apply import apply
from consumers.pipeline import writer
from consumers.pipeline.batch import Batch
from consumers.pipeline.writer import Writer
from consumers.rebuild import rebuild, swap
from consumers.registrar import signer
from consumers.registrar.journal import Journal
from consumers.registrar.signer import Signer
from infra.log.signed_note import Checkpoint
from infra.postgres import outbox_table
from infra.private_keys import key_files
from infra.private_keys.key_files import CHECKPOINT_FILE
from infra.secret_files import sync_folder
from infra.settings import Settings
from tests.simulate.conftest import InWorld
from tests.simulate.schedule import Fault, Schedule, enumerated
from tests.simulate.worlds import World

TRIED_MAX = 60

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Planted:
    """A defect, the scenario that finds it, and which faults at which places are tried."""

    scenario: str
    plant: Plant
    faults: Sequence[Fault]
    places: Sequence[str]


def the_registrars_fence_is_left_out(patched: pytest.MonkeyPatch) -> None:
    async def hold(_: Journal) -> None:
        """Nothing is asked."""

    patched.setattr(Journal, "hold", hold)


def a_consumers_fence_is_left_out(patched: pytest.MonkeyPatch) -> None:
    fenced = "AND epoch = $2 AND position = $3"
    move = writer._SQL["move"]
    assert fenced in move
    patched.setitem(writer._SQL, "move", move.replace(fenced, "AND epoch >= $2 - 9 AND $3::bigint >= 0"))


def effects_are_committed_apart_from_the_position(patched: pytest.MonkeyPatch) -> None:
    commit = Writer._commit

    async def commit_apart(self: Writer, batch: Batch, gap_entries: int, release: Callable[[], None] | None) -> None:
        async with self.connection.transaction():
            decided = await apply(self.connection, self.consumer, batch.entries, release, self._kept, self._limit)
            await outbox_table.write(self.connection, decided, batch.end)

        async def applied(*_: Any) -> list[Any]:
            return []

        with pytest.MonkeyPatch.context() as once:
            once.setattr(writer, "apply", applied)
            await commit(self, batch, gap_entries, release)

    patched.setattr(Writer, "_commit", commit_apart)


def a_checkpoint_is_not_synced(patched: pytest.MonkeyPatch) -> None:
    def write(folder: Path, note: str) -> None:
        temporary = folder / f"{CHECKPOINT_FILE}.new"
        temporary.write_text(note, encoding="utf-8")
        temporary.rename(folder / CHECKPOINT_FILE)
        sync_folder(folder)

    patched.setattr(signer, "write_checkpoint", write)


def a_checkpoint_is_not_replaced_as_a_whole(patched: pytest.MonkeyPatch) -> None:
    def write(folder: Path, note: str) -> None:
        with (folder / CHECKPOINT_FILE).open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())

    # Where the code under test calls it: a sync of the harness is no point.
    write.__code__ = write.__code__.replace(co_filename=signer.__file__)
    patched.setattr(signer, "write_checkpoint", write)


def a_checkpoint_is_public_before_it_is_kept(patched: pytest.MonkeyPatch) -> None:
    keep, publish = Signer._write_to_file, Signer._publish

    async def publish_first(self: Signer, checkpoint: Checkpoint, *more: Any) -> None:
        await publish(self, checkpoint, *more)
        keep(self, checkpoint)

    patched.setattr(Signer, "_write_to_file", lambda *_: None)
    patched.setattr(Signer, "_publish", publish_first)


def the_public_key_is_written_in_place(patched: pytest.MonkeyPatch) -> None:
    class InPlace:
        def __init__(self, path: Path, mode: int) -> None:
            self._file = path.open("wb")

        def __enter__(self) -> Any:
            return self._file

        def __exit__(self, *_: object) -> None:
            self._file.close()

    patched.setattr(key_files, "private_file", InPlace)


def a_swap_has_no_limit_of_its_own(patched: pytest.MonkeyPatch) -> None:
    """Only those of the rebuild's session are left."""
    try_swap = swap.try_swap

    async def unlimited(settings: Settings, *more: Any) -> swap.Try:
        longer = settings.model_copy(update={"idle_in_transaction_timeout_ms": rebuild.SUSPENDED_MS_MAX})
        return await try_swap(longer, *more)

    patched.setattr(swap, "try_swap", unlimited)
    patched.setattr(swap, "SWAP_MS_MAX", 0)


def a_swap_does_not_lock_the_position(patched: pytest.MonkeyPatch) -> None:
    locked = swap._SQL["locked_position"]
    assert "FOR UPDATE" in locked
    patched.setitem(swap._SQL, "locked_position", locked.replace("FOR UPDATE", ""))


def two_rebuilds_may_run_at_once(patched: pytest.MonkeyPatch) -> None:
    lock = "pg_try_advisory_lock($1, hashtext($2))"
    assert lock in rebuild._SQL["lock"]
    patched.setitem(rebuild._SQL, "lock", rebuild._SQL["lock"].replace(lock, "$1::int > 0 AND $2::text <> ''"))


COMMIT = ("journal.commit", ".signer.")
SWAPS = ("swap.try_swap", "swap.exchange")
POWER = (Fault.POWER_NEW, Fault.POWER_OLD)
TOGETHER = (Fault.KILLED, Fault.LOST, Fault.CUT)
PLANTED = (
    Planted("registrar", the_registrars_fence_is_left_out, (Fault.SECOND,), COMMIT),
    Planted("revenue", a_consumers_fence_is_left_out, (Fault.SECOND,), ("writer.commit",)),
    Planted("revenue", effects_are_committed_apart_from_the_position, TOGETHER, ("writer.commit",)),
    Planted("registrar", a_checkpoint_is_not_synced, POWER, (".signer.", ".checkpoints")),
    Planted("registrar", a_checkpoint_is_not_replaced_as_a_whole, POWER, ("file.",)),
    Planted("registrar", a_checkpoint_is_public_before_it_is_kept, POWER, (".signer.", "file.")),
    Planted("swap", a_swap_has_no_limit_of_its_own, (Fault.SECOND,), SWAPS),
    Planted("swap", a_swap_does_not_lock_the_position, (Fault.LATE,), SWAPS),
    Planted("swap", two_rebuilds_may_run_at_once, (Fault.SECOND,), ("lasting_scratch.", "swap.swap_in")),
    Planted("rotation", the_public_key_is_written_in_place, POWER, (".signer.",)),
)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.plant.__name__)
def test_a_planted_defect_is_found(planted: Planted, in_world: InWorld[None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def search(world: World) -> None:
        with monkeypatch.context() as patched:
            planted.plant(patched)
            usual = await world.run(Schedule())
            tried = [
                schedule
                for schedule in enumerated(usual.met)
                for point, fault in schedule.faults
                if fault in planted.faults and any(part in point.place for part in planted.places)
            ][:TRIED_MAX]
            found = usual.schedule if usual.broken else None
            for schedule in tried if found is None else []:
                if (await world.run(schedule)).broken:
                    found = schedule
                    break
        assert found is not None, f"{len(tried)} schedules found nothing"
        assert not (await world.run(found)).broken, f"{found} without the defect"

    in_world(planted.scenario, search)
