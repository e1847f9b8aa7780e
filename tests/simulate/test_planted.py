"""The simulation finds each planted defect. With the safeguard nothing is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from tests.simulate import defects
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


COMMIT = ("journal.commit", ".signer.")
DIES = (Fault.KILLED,)
SWAPS = ("rebuild.try_swap", "rebuild.exchange")
POWER = (Fault.POWER_NEW, Fault.POWER_OLD)
TOGETHER = (Fault.KILLED, Fault.LOST, Fault.CUT)
PLANTED = (
    Planted("registrar", defects.the_registrars_fence_is_left_out, (Fault.SECOND,), COMMIT),
    Planted("revenue", defects.a_consumers_fence_is_left_out, (Fault.SECOND,), ("writer.commit",)),
    Planted("revenue", defects.effects_are_committed_apart_from_the_position, TOGETHER, ("writer.commit",)),
    Planted("registrar", defects.a_checkpoint_is_not_synced, POWER, (".signer.", ".checkpoints")),
    Planted("registrar", defects.a_checkpoint_is_not_replaced_as_a_whole, POWER, ("file.",)),
    Planted("registrar", defects.a_checkpoint_is_public_before_it_is_kept, POWER, (".signer.", "file.")),
    Planted(
        "campaigns",
        defects.a_decision_is_deleted_before_it_is_acknowledged,
        DIES,
        ("execute.relay.send_from", "kafka.producer"),
    ),
    Planted("restore", defects.what_is_decided_again_is_sent_again, TOGETHER, ("relay.",)),
    Planted("commitments", defects.commitments_name_no_version, TOGETHER, ("commitment.publish",)),
    Planted("swap", defects.a_swap_has_no_limit_of_its_own, (Fault.SECOND,), SWAPS),
    Planted("swap", defects.a_swap_does_not_lock_the_position, (Fault.LATE,), SWAPS),
    Planted(
        "swap",
        defects.two_rebuilds_may_run_at_once,
        (Fault.SECOND,),
        ("lasting_scratch.open", "lasting_scratch.apply", "rebuild.swap_in"),
    ),
    Planted("rotation", defects.the_public_key_is_written_in_place, POWER, (".signer.",)),
    Planted(
        "gateway", defects.a_receipt_is_given_before_kafka_acknowledged, TOGETHER, ("http.", "kafka.produce.agency.")
    ),
    Planted("delivery", defects.a_webhook_is_recorded_as_delivered_before_it_is_sent, TOGETHER, ("http.",)),
    Planted("delivery", defects.what_a_killed_process_left_is_not_looked_for, (Fault.KILLED,), ("http.",)),
    Planted("delivery", defects.a_webhook_does_not_wait_for_an_earlier_one_of_its_lane, (Fault.CUT,), ("http.",)),
)


@pytest.mark.accept
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
