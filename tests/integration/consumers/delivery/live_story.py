"""A story as the live rows of the campaigns consumer and the log that they come from."""

from __future__ import annotations

from consumers.campaigns.consumer import CONSUMER
from infra.postgres.connection import Connection
from tests.integration.consumers.campaigns.test_campaigns import fold, write_log
from tests.world.story import Story


async def make_live(connection: Connection, story: Story) -> None:
    """The story's entries (at most 256) are in the log and applied. What was decided is in them, not in the outbox."""
    await write_log(connection, story.raw)
    await connection.execute(
        "UPDATE log.state SET size = $1, recorded = $2", len(story.entries), story.entries[-1].recorded
    )
    await fold(connection, story.entries, batch=256)
    await connection.execute("DELETE FROM platform.outbox")
    await set_position(connection, len(story.entries))


async def set_position(connection: Connection, position: int) -> None:
    """The rows are those of this many entries, in this release's version."""
    version = CONSUMER.version
    await connection.execute(
        "INSERT INTO platform.position (consumer, position, rules_version, fold_sha256) "
        "VALUES ('campaigns', $1, $2, $3) ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
        position,
        version.number,
        version.sha256,
    )
