"""What follows an attempt: delivered, attempted again later, or failed; the endpoint goes on or is disabled. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from consumers.delivery.sending.route import NextStep, Outcome
from infra.settings import Settings

Reason = Literal["gone", "failing"]

GONE: Final = 410
JITTER: Final = 0.2
"""Each wait is longer by up to this part, so that endpoints that failed together are not attempted together."""
RETRY_AFTER_MAX_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Policy:
    """`delays_s`: waits before each further attempt. The others are durations after which something changes."""

    delays_s: Sequence[float]
    lane_wait: timedelta
    disable_after: timedelta


def policy(settings: Settings) -> Policy:
    return Policy(
        [float(text) for text in settings.webhook_retry_delays_s.split(",")],
        timedelta(seconds=settings.webhook_lane_wait_s),
        timedelta(days=settings.webhook_disable_after_days),
    )


def verdict(attempts: int, outcome: Outcome, policy: Policy, chance: float) -> NextStep:
    """`attempts` counts this one; `chance` is in [0, 1)."""
    if outcome.delivered:
        return NextStep("delivered")
    if attempts > len(policy.delays_s):
        return NextStep("failed")
    wait_s = policy.delays_s[attempts - 1] * (1 + JITTER * chance)
    return NextStep("waiting", max(wait_s, min(outcome.retry_after_s or 0.0, RETRY_AFTER_MAX_S)))


def wait_max(policy: Policy) -> float:
    """Longer than this, in seconds, no message waits for its next attempt."""
    return max(RETRY_AFTER_MAX_S, *policy.delays_s) * (1 + JITTER)


def disable_reason(outcome: Outcome, failing_since: datetime | None, now: datetime, policy: Policy) -> Reason | None:
    """Why the endpoint gets no more webhooks, or None. `failing_since`: its first failure after the last success."""
    if outcome.status == GONE:
        return "gone"
    if not outcome.delivered and failing_since is not None and now - failing_since >= policy.disable_after:
        return "failing"
    return None


def is_late(created_at: datetime, now: datetime, policy: Policy) -> bool:
    """Whether a message has waited for so long that later ones of its lane may overtake it."""
    return now - created_at > policy.lane_wait


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """The seconds of a header `Retry-After`: a number, or a date. None where it is neither."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - now).total_seconds())
    except Exception:  # the text is a stranger's, and what the parser raises for one is not defined
        return None
