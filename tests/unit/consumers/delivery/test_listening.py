"""A developer's receiver believes what the library of Standard Webhooks signs, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
from standardwebhooks import Webhook

from consumers.delivery.notices.read import event
from consumers.delivery.secrets import new_secret
from consumers.delivery.teams.commands.webhooks import receiver
from events.schema_tools.refusal_examples import golden_example
from events.values.bilingual import Bilingual

BODY = golden_example("campaign.triggered")
NOW = datetime.now(UTC)


async def test_a_signed_delivery_is_printed_and_any_other_is_refused_with_its_reason() -> None:
    secret, other = (new_secret("v1").shown for _ in range(2))
    lines: list[str] = []

    def show(sentence: Bilingual) -> None:
        lines.append(sentence.plain().en)

    app = receiver(secret, lines.append, show, NOW.timestamp)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for key, when, told in (
            (secret, NOW, "campaign.triggered.v1"),
            (other, NOW, "not of this secret"),
            (secret, NOW - timedelta(minutes=6), "five minutes"),
        ):
            signed = f"v1a,other {Webhook(key).sign('m-1', when, BODY.decode())}"
            headers = {"webhook-id": "m-1", "webhook-timestamp": f"{when:%s}", "webhook-signature": signed}
            answer = await client.post("/", content=BODY, headers=headers)
            assert answer.status_code == (204 if told.startswith("campaign") else 400)
            assert told in lines[-1]
            assert (BODY.decode() in lines[-1]) == (answer.status_code == 204)
        notice = event("notice.halt.health.1", "health", "notice.halt", NOW, {"agency": "health"})
        signed = f"{Webhook(secret).sign('n-1', NOW, notice.decode())}"
        headers = {"webhook-id": "n-1", "webhook-timestamp": f"{NOW:%s}", "webhook-signature": signed}
        await client.post("/", content=notice, headers={**headers, "yesser-notice": "true"})
        assert lines[-1].startswith("n-1  sa.gov.yesser.notice.halt.v1  agency/health  yesser-notice")
        assert (await client.post("/", content=BODY)).status_code == 400
    assert "no signature" in lines[-1]
