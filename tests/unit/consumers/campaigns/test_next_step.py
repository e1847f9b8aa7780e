"""What a team does next, and the time that is left in words."""

from __future__ import annotations

from consumers.campaigns.next_step import next_command, time_left
from consumers.campaigns.read import hijri
from tests.every import every
from tests.world.campaigns import inbox_item


@every(
    ("due_on", "ar", "en"),
    [
        ("2026-11-26", "الموعد اليوم", "due today"),
        ("2026-11-29", "بقي يوم عمل واحد", "1 working day left"),
        ("2026-11-30", "بقي يوما عمل", "2 working days left"),
        ("2026-12-10", "بقي 10 أيام عمل", "10 working days left"),
        ("2026-12-13", "بقي 11 يوم عمل", "11 working days left"),
        ("2026-11-25", "تأخرت يومًا واحدًا", "1 day late"),
        ("2026-11-24", "تأخرت يومين", "2 days late"),
        ("2026-11-12", "تأخرت 14 يومًا", "14 days late"),
        ("2026-08-18", "تأخرت 100 يوم", "100 days late"),
        ("2026-08-17", "تأخرت 101 يوم", "101 days late"),
        ("2026-08-16", "تأخرت 102 يوم", "102 days late"),
        ("2026-08-15", "تأخرت 103 أيام", "103 days late"),
        ("2026-05-10", "تأخرت 200 يوم", "200 days late"),
    ],
)
def test_what_is_left_counts_working_days_and_what_is_late_counts_days(due_on: str, ar: str, en: str) -> None:
    assert tuple(time_left(due_on, "2026-11-26")) == (ar, en)


def test_holidays_are_no_working_days() -> None:
    # 9 to 13 Dhu al-Hijja 1448 are 15 to 19 May 2027: the 20th is a Thursday.
    assert time_left("2027-05-20", "2027-05-13").en == "1 working day left"
    assert time_left("2027-05-19", "2027-05-13").en == "no working day left"


def test_a_team_acknowledges_then_airs_on_what_is_missing_then_completes() -> None:
    def following(action: str | None) -> str | None:
        return next_command(inbox_item(next_action=action, missing_channels=["print"]))

    assert following("acknowledge") == "yesser campaigns ack service-launched.i4 --by DESK"
    assert (following("air") or "").startswith("yesser campaigns air service-launched.i4 --channel print ")
    assert following("complete") == "yesser campaigns complete service-launched.i4"
    assert following(None) is None


def test_a_date_outside_the_hijri_table_has_none() -> None:
    assert hijri("2026-11-26") == "1448-06-16"
    assert hijri("2077-11-17") is None
