"""`yesser campaigns ack | air | correct | complete`: a team's reports, sent as its agency through the gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click
from msgspec import Struct

from events.values.bilingual import Bilingual
from events.values.fields import Channel
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time
from infra.command_line.exit_codes import ExitCode
from infra.command_line.gateway_options import agency_option, gateway_address, gateway_option, token_of, token_option
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.command_line.parameters import date_option, gathered
from infra.settings import Settings

if TYPE_CHECKING:
    from events.reports.campaign_reports import Action
    from producers.awareness.send import Effect, Reported
    from producers.sdk.client import AgencyClient

    Correcting = Callable[[AgencyClient, str], Awaitable[tuple[Action, Reported | None]]]

TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who reports, to which gateway, and how the result is printed. Without `agency` it is the token's."""

    agency: str | None
    gateway: str
    token: str
    as_json: bool


def _sender(agency: str | None, gateway: str | None, token_file: Path | None, as_json: bool) -> Sender:
    return Sender(agency, gateway_address(gateway), token_of(token_file), as_json)


_sender_options: Final = gathered(
    "sender",
    _sender,
    *(agency_option, gateway_option("that of the stack in YESSER_HOME"), token_option, json_option),
)


def _day_done(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A callback: the day of something done. In the log it could not be taken back."""
    on, today = date_option(context, option, value), _today()
    if on is not None and on > today:
        raise click.BadParameter(f"{on} is still to come; today is {today}. Report what has happened.")
    return on


_on_option: Final = click.option(
    "--on", metavar="DATE", callback=_day_done, help="The day, as 2026-11-25; default: today in Riyadh."
)


@click.command("ack")
@click.argument("campaign_id")
@click.option("--by", metavar="DESK", help="The desk or team, never a person; default: YESSER_OPERATOR.")
@_on_option
@_sender_options
def ack(sender: Sender, campaign_id: str, by: str | None, on: str | None) -> None:
    """Acknowledge a campaign: your desk takes it. The first acknowledgement in the log counts."""
    from events.reports.campaign_reports import acknowledgement

    desk = by or Settings().operator
    if desk is None:
        raise click.UsageError("Name your desk: --by press-desk, or set YESSER_OPERATOR.")
    _report(sender, acknowledgement(campaign_id, desk, on or _today()))


@click.command("air")
@click.argument("campaign_id")
@click.option("--channel", type=click.Choice(get_args(Channel)), required=True, help="Where it was aired.")
@click.option("--outlet-ar", required=True, help="The station or paper, in Arabic.")
@click.option("--outlet-en", required=True, help="The station or paper, in English.")
@click.option("--reach", type=click.IntRange(min=0), required=True, help="People reached.")
@click.option("--airing-id", help="Your own id of the airing; needed for a second one of this outlet on that day.")
@_on_option
@_sender_options
def air(sender: Sender, campaign_id: str, on: str | None, **given: Any) -> None:
    """Report an airing of a campaign on television, radio or in print."""
    from events.reports.campaign_reports import Airing, airing_report

    outlet = {"ar": given["outlet_ar"], "en": given["outlet_en"]}
    aired = Airing(given["channel"], outlet, given["reach"], on or _today(), given["airing_id"])
    _report(sender, airing_report(campaign_id, aired))


@click.command("correct")
@click.argument("campaign_id")
@click.argument("entry", type=click.IntRange(min=0))
@click.option("--reach", type=click.IntRange(min=0), required=True, help="The right number of people reached.")
@click.option("--reason-ar", required=True, help="Why, in Arabic.")
@click.option("--reason-en", required=True, help="Why, in English.")
@_on_option
@_sender_options
def correct(sender: Sender, campaign_id: str, entry: int, on: str | None, **given: Any) -> None:
    """Correct the reach of an airing. ENTRY is the airing's, as `yesser campaigns show` prints it.

    The last correction in the log counts. What was reported stays in the log and in the campaign's history.
    """
    from events.reports.campaign_reports import correction
    from producers.awareness.send import Reported, UnknownAiring, own_campaign

    async def act(client: AgencyClient, agency: str) -> tuple[Action, Reported | None]:
        campaign = await own_campaign(client, agency, campaign_id)
        reason = {"ar": given["reason_ar"], "en": given["reason_en"]}
        try:
            action = correction(campaign, entry, given["reach"], reason, on or _today())
        except LookupError:
            raise UnknownAiring(f"{campaign_id}, entry {entry}: {UnknownAiring.__doc__}") from None
        index = action.effective_index(campaign)
        return action, None if index is None else Reported("repeated", index, campaign)

    _report(sender, act)


@click.command("complete")
@click.argument("campaign_id")
@_on_option
@_sender_options
def complete(sender: Sender, campaign_id: str, on: str | None) -> None:
    """Complete a campaign: its team has done its work. Later airings still count."""
    from events.reports.campaign_reports import completion

    _report(sender, completion(campaign_id, on or _today()))


def _report(sender: Sender, what: Action | Correcting) -> None:
    import uvloop

    action, reported = uvloop.run(_send(sender, what))
    print_result(_document(action, reported), sender.as_json, lambda: _print(action, reported))
    if reported.effect == "superseded":
        raise SystemExit(ExitCode.ANSWER_IS_NO)


async def _send(sender: Sender, what: Action | Correcting) -> tuple[Action, Reported]:
    from producers.awareness.send import report
    from producers.sdk.client import AgencyClient

    async with AgencyClient.of(Settings(), sender.gateway, sender.token) as client:
        agency = (await client.sender(sender.agency)).code
        action, known = await what(client, agency) if callable(what) else (what, None)
        return action, known or await report(client, agency, action, _warn, TIMEOUT_S)


def _warn(words: Bilingual) -> None:
    print_localized(words, err=True)


class ReportDocument(Struct, kw_only=True):
    """What became of a report, and the campaign after it."""

    campaign_id: str
    event_id: str
    effect: Effect
    index: int | None
    effective_index: int | None
    state: str
    acknowledged_by: str | None
    acknowledged_at: str | None
    missing_channels: list[Channel]
    next_action: str | None


def _document(action: Action, reported: Reported) -> ReportDocument:
    of_campaign = ("state", "acknowledged_by", "acknowledged_at", "missing_channels", "next_action")
    return ReportDocument(
        campaign_id=action.campaign_id,
        event_id=action.event_id,
        effect=reported.effect,
        index=reported.index,
        effective_index=action.effective_index(reported.campaign),
        **{name: reported.campaign[name] for name in of_campaign},
    )


def _print(action: Action, reported: Reported) -> None:
    from producers.awareness.send import in_effect, next_step

    index = reported.index
    if reported.effect == "applied":
        print_localized(Bilingual("سُجّل بالقيد {}.", "Accepted as entry {}.").format(index))
    else:
        if reported.effect == "repeated":
            print_localized(Bilingual("سبق تسجيله، ولم يُرسل ثانية.", "It was reported before, and was not sent again."))
        elif index is None:
            print_localized(Bilingual("لم يتغير شيء.", "Nothing has changed."))
        else:
            print_localized(Bilingual("القيد {} لم يغيّر شيئًا.", "Entry {} changed nothing.").format(index))
        if action.effective_index(reported.campaign) is not None:
            print_localized(in_effect(action, reported.campaign))
    following = next_step(reported.campaign) if reported.effect != "superseded" else None
    if following is not None:
        print_localized(following)


def _today() -> str:
    """The civil date in Riyadh."""
    return riyadh_date(recorded_time(datetime.now(UTC)))
