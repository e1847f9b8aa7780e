"""Each holder has a share of its own."""

from __future__ import annotations

import pytest

from infra.http.problems import Problem
from infra.http.rate_limits import Quota


def test_what_one_holder_uses_is_taken_from_no_other() -> None:
    quota = Quota(10)
    quota.take("health", 7)
    with pytest.raises(Problem) as caught:
        quota.take("health", 4)
    assert (caught.value.code, caught.value.headers) == ("too-many-requests", {"Retry-After": "1"})
    quota.take("health", 3)
    quota.take("labour", 10)
    quota.give_back("health", 10)
    quota.take("health", 10)


def test_a_use_ends_with_its_block_and_holders_that_use_nothing_are_not_kept() -> None:
    quota = Quota(1)
    with quota.using("health"), pytest.raises(Problem), quota.using("health"):
        pass
    for name in ("health", "labour"):
        with quota.using(name):
            pass
    quota.give_back("nobody", 0)
    assert not quota._used
