"""Forms that outlive their session: sealed, of one account, bounded, and without what must not be kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from consumers.console.accounts.kept_forms import FORM_BYTES_MAX, KEPT_FOR, KeptForms
from consumers.console.accounts.sealing import Sealer
from consumers.console.accounts.sessions import username_of

CSRF = ("csrf", "secret-of-a-session:health")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forms(clock: Clock) -> KeptForms:
    return KeptForms(Sealer("a key", "form"), clock)


def test_a_form_comes_back_as_it_was_without_its_passwords(forms: KeptForms) -> None:
    fields = [CSRF, ("a", "واحد"), ("a", "two\r\n"), ("new_password", "p"), ("secret", "s"), ("b", "")]
    sealed = forms.seal("/workspace/send?x=1", fields)
    assert sealed is not None
    assert "two" not in sealed
    kept = forms.open(sealed)
    assert kept is not None
    assert (kept.username, kept.path) == ("health", "/workspace/send?x=1")
    assert kept.fields == (("a", "واحد"), ("a", "two\r\n"), ("b", ""))


@pytest.mark.parametrize(
    "fields",
    [
        [("a", "no account")],
        [("csrf", "of-an-earlier-release"), ("a", "x")],
        [("csrf", "x:No Name"), ("a", "x")],
        [CSRF],
        [CSRF, ("password", "only a password")],
        [CSRF, ("a", "x" * (FORM_BYTES_MAX + 1))],
    ],
)
def test_what_cannot_be_kept_is_not(forms: KeptForms, fields: list[tuple[str, str]]) -> None:
    assert forms.seal("/", fields) is None


def test_a_form_is_kept_for_two_hours(forms: KeptForms, clock: Clock) -> None:
    sealed = forms.seal("/", [CSRF, ("a", "x")])
    assert sealed is not None
    clock.now += KEPT_FOR
    assert forms.open(sealed) is not None
    clock.now += timedelta(seconds=1)
    assert forms.open(sealed) is None


def test_another_key_or_purpose_opens_nothing(clock: Clock) -> None:
    sealed = KeptForms(Sealer("a key", "form"), clock).seal("/", [CSRF, ("a", "x")])
    assert sealed is not None
    for other in (Sealer("another key", "form"), Sealer("a key", "oidc")):
        assert KeptForms(other, clock).open(sealed) is None
    changed = sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:]
    assert KeptForms(Sealer("a key", "form"), clock).open(changed) is None


def test_few_forms_wait_for_the_provider_and_each_is_taken_once(forms: KeptForms) -> None:
    handles = [forms.hold(str(number)) for number in range(40)]
    assert forms.take(handles[0]) is None, "the oldest made room"
    assert forms.take(handles[-1]) == "39"
    assert forms.take(handles[-1]) is None


@pytest.mark.parametrize(
    ("csrf", "username"), [("x:health", "health"), ("x:a.b-c_1", "a.b-c_1"), ("x", None), ("x:", None), ("x:H", None)]
)
def test_a_form_names_its_account(csrf: str, username: str | None) -> None:
    assert username_of(csrf) == username
