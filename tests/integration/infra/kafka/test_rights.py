"""Each Kafka user of the platform can do what the table of rights says, and nothing else."""

from __future__ import annotations

from infra.settings import Settings
from tests.integration.infra.kafka.tried_acls import expected, tried
from tests.security_page import ACLS, acl_table, block


async def test_each_user_may_do_what_its_rights_say_and_nothing_else(settings: Settings) -> None:
    found, wanted = await tried(settings), expected(settings)
    assert {key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]} == {}
    assert block(ACLS) == acl_table(found), "run `python -m tests.security_page`"
