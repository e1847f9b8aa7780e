"""What a team gets by which route, from which entry of the log on."""

from __future__ import annotations

from typing import Final

from consumers.delivery.teams.changes import SQL, Desk, NotAllowedNow, NotFound, limit_reached, require_open_team
from consumers.delivery.teams.endpoints import open_endpoints
from consumers.delivery.teams.inputs import NewSubscription, invalid_value
from consumers.documents.document import documents_of
from consumers.documents.teams.teams import Subscribed, Subscription
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.replay.as_of.point_in_time import midnight
from events.values.bilingual import Bilingual
from infra.keys.team_seals import TeamSeals
from infra.log.reader import entries_recorded_before, log_size
from infra.postgres.connection import Connection

SUBSCRIPTIONS_MAX: Final = 200
"""Subscriptions of a team that have not ended."""


def require_known_rules(new: NewSubscription) -> None:
    """Raises `InvalidInput` for a rule that does not exist: such a subscription would get nothing."""
    known = [rule.name for rule in rules_in_force().rules]
    for place, name in enumerate(new.rules or ()):
        if name not in known:
            names = ", ".join(known)
            sentence = Bilingual("لا توجد قاعدة بهذا الاسم؛ القواعد: {}.", "There is no such rule; the rules are {}.")
            raise invalid_value(sentence.format(names), f"/rules/{place}")


async def backfill_from(connection: Connection, new: NewSubscription) -> int | None:
    """The first entry that is sent again; None for none. `connection` reads the log. Raises `InvalidInput`.

    A date begins at midnight in Riyadh, and counts by when entries were recorded.
    """
    if new.from_date is not None:
        return await entries_recorded_before(connection, midnight(new.from_date))
    if new.from_index is not None and new.from_index > (size := await log_size(connection)):
        sentence = Bilingual(
            "في السجل {} من القيود: اكتب رقمًا لا يزيد عليه.", "The log has {} entries: write an index up to that."
        ).format(size)
        raise invalid_value(sentence, "/from_index")
    return new.from_index


async def add_subscription(desk: Desk, agency: str, new: NewSubscription, backfill: int | None) -> Subscribed:
    """Subscribe a team from the log's end on; with `backfill` from this index on, what was routed before as replays.

    Raises `NotFound` and `NotAllowedNow`.
    """
    named = f"{agency}/{new.team}"
    async with desk.changing(agency, "subscriptions add", named, new.route) as connection:
        await require_open_team(connection, agency, new.team)
        endpoint_id = await _endpoint(connection, agency, new)
        wanted = (agency, new.team, new.route, endpoint_id, new.rules, new.services, new.channels, new.types)
        same = await connection.fetchval(SQL["same_subscription"], *wanted)
        if same is not None:
            sentence = Bilingual(
                "الاشتراك {} يطلب هذا نفسه. لإعادة إرسال ما مضى: أنهه، ثم اشترك مع from_index أو from_date.",
                "Subscription {} asks for the same. To have past campaigns sent again: end it, then subscribe with"
                " a beginning (`--from`; in the API from_index or from_date).",
            ).format(same)
            raise NotAllowedNow("already-exists", sentence)
        if await connection.fetchval(SQL["subscriptions_count"], agency, new.team) >= SUBSCRIPTIONS_MAX:
            raise limit_reached(SUBSCRIPTIONS_MAX, Bilingual("أنهِ اشتراكًا.", "end a subscription that is not needed."))
        await connection.execute(SQL["lock_routing"])
        live = await connection.fetchval(SQL["live_from"], backfill is not None)
        again = None if backfill is None or backfill >= live else (backfill, live)
        (row,) = await connection.fetch(SQL["add_subscription"], *wanted, live, *(again or (None, None)))
        subscription_id = row["subscription_id"]
        seal = desk.seals.seal("delivery.subscription", row)
        await connection.execute(SQL["seal_subscription"], subscription_id, seal)
    return Subscribed(
        subscription_id=subscription_id,
        endpoint_id=endpoint_id,
        from_index=live,
        backfill=None if again is None else {"from": again[0], "to": again[1]},
    )


async def end_subscription(desk: Desk, agency: str | None, subscription_id: int) -> None:
    """End a subscription. What was routed before is still delivered. Repeating it changes nothing.

    Raises `NotFound`.
    """
    row = await desk.connection.fetchrow(SQL["subscription"], subscription_id, agency)
    if row is None:
        raise NotFound(f"there is no subscription {subscription_id}: see `yesser subscriptions list`.")
    named = f"{row['agency']}/{row['team']}"
    async with desk.changing(row["agency"], "subscriptions end", named, str(subscription_id)) as connection:
        await end_subscriptions(connection, desk.seals, row["agency"], row["team"], subscription_id)


async def end_subscriptions(
    connection: Connection, seals: TeamSeals, agency: str, team: str, subscription_id: int | None = None
) -> None:
    """End those of a team, or one of them. A row that had not its seal gets none by this."""
    for row in await connection.fetch(SQL["end_subscriptions"], agency, team, subscription_id):
        if seals.is_sealed("delivery.subscription", {**row, "ended_at": None}):
            seal = seals.seal("delivery.subscription", row)
            await connection.execute(SQL["seal_subscription"], row["subscription_id"], seal)


async def subscriptions_of(
    connection: Connection,
    agency: str | None,
    team: str | None = None,
    *,
    ended: bool = False,
    after: int = -1,
    limit: int | None = None,
) -> list[Subscription]:
    """Subscriptions by id; `ended`: also those that have ended."""
    return documents_of(Subscription, await connection.fetch(SQL["subscriptions"], agency, team, ended, after, limit))


async def _endpoint(connection: Connection, agency: str, new: NewSubscription) -> str | None:
    """The webhook of a subscription: the named one, else the only one of the team."""
    if new.route != "webhook":
        return None
    known = await open_endpoints(connection, agency, new.team)
    if new.endpoint_id is None and len(known) == 1:
        return known[0]
    if new.endpoint_id in known:
        return new.endpoint_id
    raise NotFound(
        f"name one of the webhooks of {agency}/{new.team} that are not disabled: {', '.join(known) or 'there is none'}."
    )
